import type { Random } from '@gudang/testing/random';

/** Shares and sizes from 0 to 1 that describe a document. */
export const GENES = [
  'roots',
  'breadth',
  'depth',
  'aliases',
  'listSizes',
  'fragments',
  'directives',
  'repeats',
  'variables',
  'mistakes',
] as const;
export type Genome = Readonly<Record<(typeof GENES)[number], number>>;

interface Field {
  readonly name: string;
  /** Type of the object; undefined: a leaf. */
  readonly type?: string;
  readonly isList?: true;
  readonly id?: true;
}

/** The part of the graph that a caller without a token can read. */
const TYPES: Readonly<Record<string, readonly Field[]>> = {
  Query: [
    { name: 'stocks', type: 'StockConnection', isList: true },
    { name: 'stock', type: 'Stock', id: true },
    { name: 'stockCursor' },
  ],
  StockConnection: [
    { name: 'nodes', type: 'Stock' },
    { name: 'edges', type: 'StockEdge' },
    { name: 'pageInfo', type: 'PageInfo' },
  ],
  StockEdge: [{ name: 'node', type: 'Stock' }, { name: 'cursor' }],
  Stock: [
    ...['id', 'name', 'quantity', 'version', 'createdAt', 'updatedAt'].map((name) => ({ name })),
    { name: 'movements', type: 'MovementConnection', isList: true },
  ],
  MovementConnection: [
    { name: 'nodes', type: 'Movement' },
    { name: 'edges', type: 'MovementEdge' },
    { name: 'pageInfo', type: 'PageInfo' },
  ],
  MovementEdge: [{ name: 'node', type: 'Movement' }, { name: 'cursor' }],
  Movement: ['kind', 'delta', 'quantityAfter', 'version', 'reason', 'at'].map((name) => ({ name })),
  PageInfo: ['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor'].map((name) => ({
    name,
  })),
};

/** Generates a document; its size follows the genome up to and beyond the gateway's limits. */
export function generateDocument(random: Random, genome: Genome, number: number): string {
  return new DocumentWriter(random, genome).write(number);
}

class DocumentWriter {
  readonly #random: Random;
  readonly #genome: Genome;
  readonly #fragments: string[] = [];
  #aliases = 0;

  constructor(random: Random, genome: Genome) {
    this.#random = random;
    this.#genome = genome;
  }

  write(number: number): string {
    const { roots } = this.#genome;
    const count = 1 + Math.floor(roots * 55);
    const fields = Array.from({ length: count }, () => this.#field('Query', 0));
    const text = fields.join(' ');
    const declared = text.includes('$n') || this.#fragments.join().includes('$n');
    const variables = declared ? '($n: Int = 100)' : '';
    return `query G${number}${variables} { ${text} } ${this.#fragments.join(' ')}`;
  }

  #field(type: string, level: number): string {
    const random = this.#random;
    const { aliases, directives, mistakes } = this.#genome;
    if (random.chance(mistakes * 0.1)) return `mistake${random.between(0, 50)}`;
    const deep = level < this.#genome.depth * 22;
    const all = TYPES[type] ?? [];
    const objects = all.filter((one) => one.type !== undefined);
    const leaves = all.filter((one) => one.type === undefined);
    const field = random.pick(
      (deep && random.chance(0.7) && objects.length > 0) || leaves.length === 0 ? objects : leaves,
    );
    const alias = random.chance(aliases) ? `a${this.#next()}: ` : '';
    const directive = random.chance(directives * 0.3) ? ' @include(if: true)' : '';
    const head = `${alias}${field.name}${this.#arguments(field)}${directive}`;
    return field.type === undefined
      ? head
      : `${head} { ${this.#selection(field.type, level + 1)} }`;
  }

  #selection(type: string, level: number): string {
    const random = this.#random;
    const { breadth, fragments, repeats } = this.#genome;
    const count = 1 + Math.floor(breadth * random.between(1, 12));
    const fields = Array.from({ length: count }, () => this.#field(type, level));
    if (random.chance(repeats * 0.3)) fields.push(...fields);
    const text = fields.join(' ');
    if (!random.chance(fragments * 0.3)) return text;
    const name = `F${this.#fragments.length}`;
    this.#fragments.push(`fragment ${name} on ${type} { ${text} }`);
    return Array.from({ length: random.between(1, 4) }, () => `...${name}`).join(' ');
  }

  #arguments({ isList, id }: Field): string {
    const { listSizes, variables } = this.#genome;
    if (id) return `(id: "hostile-${this.#random.between(1, 100)}")`;
    if (!isList) return '';
    if (this.#random.chance(variables)) return '(first: $n)';
    return `(first: ${1 + Math.floor(listSizes * 99)})`;
  }

  #next(): number {
    this.#aliases += 1;
    return this.#aliases;
  }
}
