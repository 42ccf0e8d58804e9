import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const COMPRESSED = /\.(?:html|js|css|svg|ttf)$/;
const compress = promisify(gzip);

/** Writes a .gz file beside each text file, so that the gateway need not compress at run time. */
function precompress(): Plugin {
  const dist = fileURLToPath(new URL('dist', import.meta.url));
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle: async () => {
      const files = await readdir(dist, { recursive: true });
      await Promise.all(
        files
          .filter((file) => COMPRESSED.test(file))
          .map(async (file) => {
            const path = join(dist, file);
            await writeFile(`${path}.gz`, await compress(await readFile(path), { level: 9 }));
          }),
      );
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    // All assets are in one folder, so that no asset has the path of a gateway route.
    assetsDir: 'pages',
    target: 'es2022',
    // The content security policy allows no inline assets.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4096,
    rolldownOptions: {
      input: ['index.html', 'live.html', 'graphiql.html', 'sandbox.html'],
      onwarn: (warning, warn) => {
        // GraphiQL contains the directive "use no memo". It is for React's compiler, which has
        // already processed this code.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
});
