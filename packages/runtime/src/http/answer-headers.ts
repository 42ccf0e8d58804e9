/**
 * Of every answer that is no page of its own: a browser takes it for nothing but what it says it is,
 * and runs, frames and loads nothing of it.
 */
export const ANSWER_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;
