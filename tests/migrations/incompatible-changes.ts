import type { Catalogue } from './catalogue.ts';

/**
 * What a migration does that the release before it may not bear, which goes on reading and writing
 * beside the new one. A migration that takes away what no release uses any more says so in its own
 * text, a line each: `-- Contract: column orders.colour, unused since 1.4`.
 */
export function brokenPromises({
  before,
  after,
  sql,
}: {
  before: Catalogue;
  after: Catalogue;
  sql: string;
}): string[] {
  const allowed = [...sql.matchAll(/^-- Contract: ([^,\n]+), (?=\S)/gm)].map(([, name]) => name);
  const gone = [...before].flatMap(([name, was]) => {
    const is = after.get(name);
    if (is === undefined) return [{ name, what: `${name} is gone` }];
    if (is === was || isLooser(name, was, is)) return [];
    return [{ name, what: `${name} was ${was} and is ${is}` }];
  });
  const tables = new Set([...before.keys()].flatMap((name) => tableOf(name) ?? []));
  const isOfWhatIsNew = (name: string): boolean => {
    const columns = /\(([^)]+)\)$/.exec(name)?.[1]?.split(' ');
    return columns?.every((column) => !before.has(`column ${tableOf(name)}.${column}`)) ?? false;
  };
  const demanded = [...after].flatMap(([name, is]) => {
    if (before.has(name) || !tables.has(tableOf(name) ?? '')) return [];
    if (!demands(name, is) || isOfWhatIsNew(name)) return [];
    return [{ name, what: `${name} is new, and demands of the release before: ${is}` }];
  });
  const broken = [...gone, ...demanded];
  const needless = allowed.filter((name) => !broken.some((one) => one.name === name));
  return [
    ...broken.filter(({ name }) => !allowed.includes(name)).map(({ what }) => what),
    ...needless.map((name) => `its line "Contract: ${name}" allows nothing`),
  ];
}

/** The table that a column, constraint, index or trigger is of. */
function tableOf(name: string): string | undefined {
  return /^(?:column|constraint|unique index|trigger) ([^.:]+)/.exec(name)?.[1];
}

/** A column that may be left out now, and of the same type. */
function isLooser(name: string, was: string, is: string): boolean {
  if (!name.startsWith('column ')) return false;
  const [type, need] = split(was);
  const [typeNow, needNow] = split(is);
  // What is null now, the release before may not be able to read.
  return type === typeNow && need === 'required' && needNow === 'never null';
}

function split(is: string): [type: string, need: string] {
  const at = is.lastIndexOf(', ');
  return [is.slice(0, at), is.slice(at + 2)];
}

/** Of a table that was there: what makes the release before fail where it did not. */
function demands(name: string, is: string): boolean {
  return name.startsWith('column ') ? is.endsWith(', required') : !name.startsWith('label ');
}
