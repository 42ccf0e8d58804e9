/** For integration tests: `vi.waitFor` gives up after 1 s by itself, which a busy machine may need. */
import { vi } from 'vitest';

const PATIENCE_MS = 10_000;

const waitFor = vi.waitFor.bind(vi);
vi.waitFor = (callback, options) =>
  waitFor(callback, {
    timeout: PATIENCE_MS,
    ...(typeof options === 'number' ? { timeout: options } : options),
  });
