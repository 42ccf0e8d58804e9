import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('..', import.meta.url));

/**
 * Returns the gateway's source files in which at least one function ran during an action, as
 * measured by V8's precise coverage of this thread. Paths are relative to `src/`; files of
 * `testing/` are left out.
 */
export async function executedFiles(action: () => Promise<void>): Promise<Set<string>> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    // Calls before this line belong to the first report, which is discarded.
    await session.post('Profiler.takePreciseCoverage');
    await action();
    const { result } = await session.post('Profiler.takePreciseCoverage');
    const executed = new Set<string>();
    for (const { url, functions } of result) {
      const path = pathOf(url);
      if (path && functions.some(hasRun)) executed.add(path);
    }
    return executed;
  } finally {
    session.disconnect();
  }
}

function pathOf(url: string): string | undefined {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  if (!path.startsWith(SOURCES) || /\.(int|test)\.ts/.test(path)) return undefined;
  const inSources = relative(SOURCES, path.split('?')[0] ?? path);
  return inSources.startsWith('testing/') ? undefined : inSources;
}

/**
 * Returns whether a named function has run. Anonymous functions do not count, because the test
 * runner wraps every export of a module in one.
 */
function hasRun({ functionName, ranges }: Profiler.FunctionCoverage): boolean {
  return functionName !== '' && ranges.some(({ count }) => count > 0);
}
