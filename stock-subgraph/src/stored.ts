/** Wakes the relay once a change is committed. */
export async function stored<T>(
  context: { readonly stored: () => void },
  change: Promise<T>,
): Promise<T> {
  const result = await change;
  context.stored();
  return result;
}
