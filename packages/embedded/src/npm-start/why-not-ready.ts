/** The reasons in the body of a /readyz that is not 200; the body itself when it is of another kind. */
export function whyNotReady(status: number, body: string): string {
  try {
    const { parts } = JSON.parse(body) as {
      parts: Record<string, { state: string; reason?: string }>;
    };
    const down = Object.entries(parts).filter(([, { state }]) => state === 'down');
    if (down.length > 0) return down.map(([part, { reason }]) => `${part}: ${reason}`).join('; ');
  } catch {
    // Not what our services say; shown as it is.
  }
  return `${status} ${body.slice(0, 300)}`.trim();
}
