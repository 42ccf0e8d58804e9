const SANDBOX_SCRIPT = 'https://embeddable-sandbox.cdn.apollographql.com';
const SANDBOX_FRAME = 'https://sandbox.embed.apollographql.com';

/** Content security policy of every page. It allows only the gateway's own files. */
const BASE = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
};

/** Additions to the policy for individual pages. */
const ADDITIONS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  // GraphiQL's editor creates styles at run time, and its style sheet contains its fonts.
  'graphiql.html': {
    'style-src': ["'self'", "'unsafe-inline'"],
    'font-src': ["'self'", 'data:'],
    'worker-src': ["'self'"],
  },
  'sandbox.html': {
    'script-src': ["'self'", SANDBOX_SCRIPT],
    'frame-src': [SANDBOX_FRAME],
  },
};

/** Returns the headers of a page. @param file such as `live.html` */
export function securityHeaders(file: string): Readonly<Record<string, string>> {
  const policy = Object.entries({ ...BASE, ...ADDITIONS[file] });
  return {
    ...FILE_HEADERS,
    'content-security-policy': policy
      .map(([directive, sources]) => `${directive} ${sources.join(' ')}`)
      .join('; '),
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  };
}

/** Headers of the files that pages load. */
export const FILE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const;
