import { writeFile } from 'node:fs/promises';
import { stderr } from 'node:process';
import { CompositionError, composeSupergraph, supergraphPath } from './supergraph-file.ts';

try {
  await writeFile(supergraphPath, await composeSupergraph());
} catch (error) {
  if (!(error instanceof CompositionError)) throw error;
  stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
