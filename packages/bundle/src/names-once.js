/**
 * esbuild plugin: lets all ES modules import a CommonJS package through one module, which reads each
 * exported name once. Without it, esbuild gives each importing module an object of its own with a getter for
 * every name: 25,000 getters for `graphql` in the gateway, and one call of a getter per use.
 */
import { createRequire } from 'node:module';

const NAMESPACE = 'names-once';

/**
 * @param {string} name name of the package, whose exports must not change after it is loaded
 * @returns {import('esbuild').Plugin}
 */
export function namesOnce(name) {
  return {
    name: NAMESPACE,
    setup: (build) => {
      build.onResolve({ filter: new RegExp(`^${name}$`) }, ({ kind, resolveDir, namespace }) => {
        if (namespace === NAMESPACE || kind !== 'import-statement') return undefined;
        return { path: name, namespace: NAMESPACE, pluginData: resolveDir, sideEffects: false };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ pluginData: resolveDir }) => {
        const names = Object.keys(createRequire(`${resolveDir}/`)(name));
        return {
          contents: `const all = require('${name}');\n${names.map((one) => `export const ${one} = all.${one};`).join('\n')}`,
          resolveDir,
        };
      });
    },
  };
}
