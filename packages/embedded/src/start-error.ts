/** Why something cannot start and what to do about it, in words for whoever ran the command; no stack trace. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
