/** Closes one after the other, whatever fails, and throws the first error at the end. */
export async function closeAll(closings: Iterable<() => Promise<void>>): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closings) await close().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
