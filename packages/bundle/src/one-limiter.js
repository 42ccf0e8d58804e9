/**
 * esbuild plugin: bundles only the rate limiter that the services use. The index of rate-limiter-flexible loads a
 * limiter for each of 15 databases (0.7 MiB of memory).
 */
const USED = ['RateLimiterMemory', 'RateLimiterRes'];

/** @type {import('esbuild').Plugin} */
export const oneLimiter = {
  name: 'one-limiter',
  setup: (build) => {
    build.onLoad({ filter: /\/rate-limiter-flexible\/index\.js$/ }, () => ({
      contents: USED.map((name) => `exports.${name} = require('./lib/${name}');`).join('\n'),
    }));
  },
};
