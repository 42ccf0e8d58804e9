import type { Catalogue } from './catalogue.ts';

/**
 * Lists the changes in a migration that can break the previous release, which runs beside the new one
 * during a rollout. A migration may remove an object that no release uses, if its SQL declares the
 * removal in a line such as `-- Contract: column orders.color, unused since 1.4`.
 */
export function incompatibleChanges({
  before,
  after,
  sql,
}: {
  before: Catalogue;
  after: Catalogue;
  sql: string;
}): string[] {
  const allowed = [...sql.matchAll(/^-- Contract: ([^,\n]+), (?=\S)/gm)].map(([, name]) => name);
  const changed = [...before].flatMap(([name, was]) => {
    const is = after.get(name);
    if (is === undefined) return [{ name, what: `${name} was removed` }];
    if (is === was || isLooser(name, was, is)) return [];
    return [{ name, what: `${name} changed from ${was} to ${is}` }];
  });
  const tables = new Set([...before.keys()].flatMap((name) => tableOf(name) ?? []));
  const hasOnlyNewColumns = (name: string): boolean => {
    const columns = /\(([^)]+)\)$/.exec(name)?.[1]?.split(' ');
    return columns?.every((column) => !before.has(`column ${tableOf(name)}.${column}`)) ?? false;
  };
  const demanded = [...after].flatMap(([name, is]) => {
    if (before.has(name) || !tables.has(tableOf(name) ?? '')) return [];
    if (!demands(name, is) || hasOnlyNewColumns(name)) return [];
    return [{ name, what: `${name} is new and restricts the previous release: ${is}` }];
  });
  const broken = [...changed, ...demanded];
  const needless = allowed.filter((name) => !broken.some((one) => one.name === name));
  return [
    ...broken.filter(({ name }) => !allowed.includes(name)).map(({ what }) => what),
    ...needless.map((name) => `the line "Contract: ${name}" is not needed`),
  ];
}

/** Returns the name of the table to which a column, constraint, index or trigger belongs. */
function tableOf(name: string): string | undefined {
  return /^(?:column|constraint|unique index|trigger) ([^.:]+)/.exec(name)?.[1];
}

/** Returns whether a column has changed only in that an INSERT may now omit it. */
function isLooser(name: string, was: string, is: string): boolean {
  if (!name.startsWith('column ')) return false;
  const [type, need] = split(was);
  const [typeNow, needNow] = split(is);
  // A column that becomes nullable is incompatible, because the previous release may fail to read null.
  return type === typeNow && need === 'required' && needNow === 'never null';
}

function split(is: string): [type: string, need: string] {
  const at = is.lastIndexOf(', ');
  return [is.slice(0, at), is.slice(at + 2)];
}

/** Returns whether a new object on an existing table can make the previous release fail. */
function demands(name: string, is: string): boolean {
  return name.startsWith('column ') ? is.endsWith(', required') : !name.startsWith('label ');
}
