/**
 * esbuild plugin: writes Prisma's WebAssembly, which its package contains as base64 text, to a file beside the
 * bundle. Prisma's client reads the file when it needs it. As text, it would stay in memory twice: as source
 * code, and as a string (4.5 MiB).
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

const NAMESPACE = 'wasm-files';

/** @type {import('esbuild').Plugin} */
export const wasmFiles = {
  name: NAMESPACE,
  setup: (build) => {
    build.onLoad({ filter: /\.wasm-base64\.m?js$/, namespace: 'file' }, ({ path }) => ({
      // Buffer.from(wasm, 'base64') calls valueOf(), and takes a copy of the buffer that it returns.
      contents: `import { readFileSync } from 'node:fs';
import file from ${JSON.stringify(path)} with { type: '${NAMESPACE}' };
export const wasm = { valueOf: () => readFileSync(new URL(file, import.meta.url)) };`,
      loader: 'js',
    }));
    build.onResolve({ filter: /\.wasm-base64\.m?js$/ }, ({ path, with: attributes }) => {
      if (attributes.type !== NAMESPACE) return undefined;
      const name = path.replace(/-base64\.m?js$/, '');
      return { path: name, namespace: NAMESPACE, pluginData: path };
    });
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ pluginData: path }) => {
      const [, text = ''] =
        /wasm\s*=\s*["'`]([\w+/=]+)["'`]/.exec(await readFile(path, 'utf8')) ?? [];
      if (text === '') throw new Error(`${basename(path)} has no WebAssembly`);
      return { contents: Buffer.from(text, 'base64'), loader: 'file' };
    });
  },
};
