/** Whether a text has a byte of UTF-8 for each of its characters. */
export const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;
