import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';

let loaded: Promise<typeof glue.SchemaEngine> | undefined;

/**
 * Loads Prisma's schema engine as WebAssembly, from an npm package. Prisma's native engine is not used,
 * because its installer downloads it from another host, which fails where only the package registry can
 * be reached.
 */
export function loadSchemaEngine(): Promise<typeof glue.SchemaEngine> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof glue.SchemaEngine> {
  // The .wasm file is loaded here because the package's entry point imports it as a module, and Node 20
  // and 22 support such imports only with a flag.
  const entry = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm');
  const bytes = await readFile(join(dirname(entry), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': withUnrefTimers(glue),
  });
  const internals = glue as unknown as { __wbg_set_wasm(exports: object): void };
  internals.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue.SchemaEngine;
}

/**
 * Unreferences the engine's timers. The engine never clears the 10 s timer of its lock, so this timer
 * would delay the exit of the process.
 */
function withUnrefTimers(imports: object): object {
  const entries = Object.entries(imports).map(([name, value]) =>
    name.startsWith('__wbg_setTimeout_')
      ? [name, (work: () => void, milliseconds: number) => setTimeout(work, milliseconds).unref()]
      : [name, value],
  );
  return Object.fromEntries(entries);
}

/** TypeScript declares WebAssembly only in its DOM types, which this package does not use. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, object>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};
