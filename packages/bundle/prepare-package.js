/**
 * Adds to `dist/` what the package of the gateway contains besides its bundle. npm runs this before it
 * packs. It needs the builds of the gateway and of its pages.
 *
 * - `pages/`: the explorers GraphiQL and Sandbox, without the pages of the shop that are built with them.
 * - `THIRD_PARTY_LICENSES.txt`: the licenses of all npm packages that the bundle and the pages contain.
 *   The bundle's source maps name its packages. The pages have none, so all their libraries are listed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const ENTRIES = ['graphiql.html', 'sandbox.html'];
/** The module with the operations of the shop's graph, and its replacement. */
const EXAMPLES = /^graph-examples-.*\.js$/;
const NO_EXAMPLES = 'export const probe="{ __typename }";export const examples=[];\n';
/** devDependencies of the pages that are only tools. */
const TOOLS = /^(@types\/|@vitejs\/|@gudang\/|vite$|vitest$)/;

const built = resolve('pages/dist');
if (!existsSync('dist/cli.js') || !existsSync(built)) {
  process.stderr.write(
    'The gateway and its pages are not built: run npm run build in the repository first\n',
  );
  process.exit(1);
}
await copyExplorers('dist/pages');
await writeFile('dist/THIRD_PARTY_LICENSES.txt', describe([...bundledFolders(), ...pageFolders()]));

/** Copies the explorers and all files that they name, directly or through others. */
async function copyExplorers(to) {
  const assets = (await readdir(join(built, 'pages'))).filter((name) => !name.endsWith('.gz'));
  const wanted = new Map(ENTRIES.map((name) => [name, join(built, name)]));
  for (const [, path] of wanted) {
    const text = await readFile(path, 'latin1');
    for (const name of assets)
      if (text.includes(name)) wanted.set(name, join(built, 'pages', name));
  }
  await rm(to, { recursive: true, force: true });
  await mkdir(join(to, 'pages'), { recursive: true });
  for (const [name, path] of wanted) {
    const target = join(to, ENTRIES.includes(name) ? '' : 'pages', name);
    if (EXAMPLES.test(name)) {
      await writeFile(target, NO_EXAMPLES);
      await writeFile(`${target}.gz`, await promisify(gzip)(NO_EXAMPLES));
      continue;
    }
    await cp(path, target);
    if (existsSync(`${path}.gz`)) await cp(`${path}.gz`, `${target}.gz`);
  }
}

/** Returns the folders of the packages whose files are in the bundle. */
function bundledFolders() {
  const folders = new Set();
  for (const name of readdirSync('dist').filter((file) => file.endsWith('.js.map'))) {
    for (const source of JSON.parse(readFileSync(join('dist', name), 'utf8')).sources) {
      const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source) ?? [];
      // A library that was bundled itself names the files of packages that are not installed.
      if (folder) folders.add(installedFolder(resolve('dist', folder)));
    }
  }
  return folders;
}

function installedFolder(folder) {
  return existsSync(join(folder, 'package.json')) ? folder : installedFolder(dirname(folder));
}

/** Returns the folders of the libraries of the pages, and of all packages that these depend on. */
function pageFolders() {
  const folders = new Set();
  const visit = (name, from) => {
    const folder = folderOf(name, from);
    if (folder === undefined || folders.has(folder)) return;
    folders.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const one of Object.keys(dependencies)) visit(one, folder);
  };
  const { devDependencies } = JSON.parse(readFileSync('pages/package.json', 'utf8'));
  for (const name of Object.keys(devDependencies)) {
    if (!TOOLS.test(name)) visit(name, resolve('pages'));
  }
  return folders;
}

function folderOf(name, from) {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Returns the names, versions and licenses of packages. Packages with the same text share it. */
function describe(folders) {
  const named = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    );
    named.set(`${name} ${version}`, { license, text: licenseText(folder) });
  }
  const byText = new Map();
  for (const [title, { license, text }] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const key = text || `License: ${license}. The package contains no text of it.`;
    byText.set(key, [...(byText.get(key) ?? []), `${title} (${license})`]);
  }
  const parts = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text.trim()}\n`);
  return `This package contains the npm packages below, with these licenses.\n\n${parts.join(
    `\n${'-'.repeat(80)}\n\n`,
  )}`;
}

function licenseText(folder) {
  return readdirSync(folder)
    .filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
}
