/** An option that counts something: a whole number from 1 on. */
export function positiveNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new Error(`--${option} takes a whole number from 1 on, not ${text}`);
  return number;
}
