import type { Random } from '@gudang/testing/random';
import {
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  parse,
  validate,
} from 'graphql';

export interface GeneratedOperation {
  readonly text: string;
  readonly document: DocumentNode;
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly variables: Record<string, unknown>;
  /** Draws for progressive overrides: of planning, and of execution. */
  readonly draws: readonly number[];
}

const DEPTH = 4;
const MAX_FIELDS = 40;
const TRIES = 12;
/** Aliases that are names of keys, of meta fields, or of members of `Object.prototype`. */
const HOSTILE = [
  'id',
  '__typename',
  'code',
  'num',
  'region',
  'ref',
  'boss',
  'constructor',
  '__proto__',
];
const PLAIN = ['a', 'b', 'c'];
/** Fields through which arguments get values from a context; they are selected more often than others. */
const OF_CONTEXTS = new Set(['inner', 'deeper', 'told']);

/** Generates a valid operation; undefined if none was found. */
export function generateOperation(
  schema: GraphQLSchema,
  kind: GeneratedOperation['kind'],
  random: Random,
): GeneratedOperation | undefined {
  const draw = (): number => random.pick([0, 10, 25, 40, 50, 99]);
  for (let tries = 0; tries < TRIES; tries += 1) {
    // The last attempts use no aliases, which are the usual reason for conflicts.
    const generator = new OperationGenerator(schema, random, {
      aliases: tries < TRIES - 4,
      kind,
    });
    const text = generator.generate(kind);
    if (text === undefined) return undefined;
    const document = parse(text);
    if (validate(schema, document).length === 0) {
      return { text, document, kind, variables: generator.values(), draws: [draw(), draw()] };
    }
  }
  return undefined;
}

class OperationGenerator {
  readonly #schema: GraphQLSchema;
  readonly #random: Random;
  readonly #aliases: boolean;
  readonly #fragments: string[] = [];
  readonly #variables = new Map<string, { declared: string; value: unknown }>();
  readonly #defers: boolean;
  #labels = 0;
  #left = MAX_FIELDS;

  constructor(
    schema: GraphQLSchema,
    random: Random,
    { aliases, kind }: { aliases: boolean; kind: GeneratedOperation['kind'] },
  ) {
    this.#schema = schema;
    this.#random = random;
    this.#aliases = aliases && random.chance(0.7);
    this.#defers = kind !== 'subscription' && random.chance(0.25);
  }

  values(): Record<string, unknown> {
    const given = [...this.#variables].filter(([, { value }]) => value !== undefined);
    return Object.fromEntries(given.map(([name, { value }]) => [name, value]));
  }

  generate(kind: GeneratedOperation['kind']): string | undefined {
    const root =
      kind === 'query'
        ? this.#schema.getQueryType()
        : kind === 'mutation'
          ? this.#schema.getMutationType()
          : this.#schema.getSubscriptionType();
    if (!root) return undefined;
    const body =
      kind === 'subscription'
        ? `{ ${this.#field(this.#random.pick(Object.values(root.getFields())), root, DEPTH, false)} }`
        : this.#selection(root, DEPTH);
    const declared = [...this.#variables.values()].map((one) => one.declared);
    const head = declared.length > 0 ? `${kind} (${declared.join(', ')})` : kind;
    return [`${head} ${body}`, ...this.#fragments].join('\n');
  }

  #selection(type: GraphQLNamedType, depth: number): string {
    const parts: string[] = [];
    const random = this.#random;
    if (random.chance(0.2)) parts.push(random.chance(0.6) ? '__typename' : 'kind: __typename');
    const fields =
      isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
    const usable = fields.filter((one) => depth > 1 || !isCompositeType(getNamedType(one.type)));
    for (let count = random.between(1, 4); usable.length > 0 && count > 0; count -= 1) {
      if (this.#left <= 0 && parts.length > 0) break;
      const ofContexts = usable.filter(({ name }) => OF_CONTEXTS.has(name));
      const some = ofContexts.length > 0 && random.chance(0.5) ? ofContexts : usable;
      parts.push(this.#field(random.pick(some), type, depth, true));
    }
    const share = isAbstractType(type) ? 0.9 : this.#defers ? 0.5 : 0.12;
    if (depth > 1 && random.chance(share)) {
      for (let count = random.between(1, 3); count > 0 && this.#left > 0; count -= 1) {
        const fragment = this.#fragment(type, depth);
        if (fragment !== undefined) parts.push(fragment);
      }
    }
    return `{ ${parts.length > 0 ? random.shuffled(parts).join(' ') : '__typename'} }`;
  }

  #fragment(type: GraphQLNamedType, depth: number): string | undefined {
    if (!isCompositeType(type)) return undefined;
    const possible = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type];
    const conditions = Object.values(this.#schema.getTypeMap()).filter(
      (one) =>
        (isObjectType(one) && possible.includes(one)) ||
        (isAbstractType(one) && possible.some((member) => this.#schema.isSubType(one, member))),
    );
    const on = this.#random.chance(0.1) ? type : this.#random.pick(conditions);
    const inner = this.#selection(on, depth - 1);
    if (this.#random.chance(0.3)) {
      const name = `F${this.#fragments.length}`;
      this.#fragments.push(`fragment ${name} on ${on.name} ${inner}`);
      return `...${name}${this.#defer(type)}${this.#condition()}`;
    }
    const condition = on === type && this.#random.chance(0.5) ? '' : ` on ${on.name}`;
    return `...${condition}${this.#defer(type)}${this.#condition()} ${inner}`;
  }

  #defer(type: GraphQLNamedType): string {
    const random = this.#random;
    const isAllowed = this.#defers && type !== this.#schema.getMutationType();
    if (!isAllowed || random.chance(0.4)) return '';
    const label = random.chance(0.5) ? [`label: "l${this.#labels++}"`] : [];
    const condition = random.chance(0.3) ? [`if: ${this.#boolean()}`] : [];
    const given = [...label, ...condition];
    return given.length > 0 ? ` @defer(${given.join(', ')})` : ' @defer';
  }

  #field(
    field: GraphQLField<unknown, unknown>,
    parent: GraphQLNamedType,
    depth: number,
    mayBeLeftOut: boolean,
  ): string {
    this.#left -= 1;
    const named = getNamedType(field.type);
    const given = this.#arguments(field.args);
    const inner = isCompositeType(named) ? ` ${this.#selection(named, depth - 1)}` : '';
    const condition = mayBeLeftOut ? this.#condition() : '';
    return `${this.#alias(field, parent, given)}${field.name}${given}${condition}${inner}`;
  }

  #alias(field: GraphQLField<unknown, unknown>, parent: GraphQLNamedType, given: string): string {
    const random = this.#random;
    // Different arguments need different aliases, so that fields can be merged.
    if (given !== '' && random.chance(0.7)) return `${field.name}_${given.length}: `;
    if (!this.#aliases || random.chance(0.8)) return '';
    const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {};
    return `${random.pick([...HOSTILE, ...PLAIN, ...Object.keys(fields)])}: `;
  }

  #arguments(args: readonly GraphQLArgument[]): string {
    const given = args.flatMap((one) => {
      const type = String(one.type);
      if (!type.endsWith('!') && this.#random.chance(0.4)) return [];
      return [`${one.name}: ${this.#argument(one.name, type)}`];
    });
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  #argument(name: string, type: string): string {
    const random = this.#random;
    if (random.chance(0.5)) return this.#variable(name, type);
    if (name === 'like') {
      return random.pick([
        '{}',
        '{ n: 1 }',
        '{ text: "x", more: { color: RED } }',
        `{ n: ${this.#variable('n', 'Int')} }`,
      ]);
    }
    if (name === 'colors') return random.pick(['[RED, BLUE]', 'GREEN', '[]']);
    if (name === 'text') return random.pick(['"x"', '""', 'null', '"""block "quoted" """']);
    return random.pick(['0', '5', '-1']);
  }

  #variable(argument: string, type: string): string {
    const random = this.#random;
    const values: Readonly<Record<string, readonly unknown[]>> = {
      like: [{}, { n: 2, more: { text: 'y' } }, null],
      colors: [['RED'], 'BLUE', [], null],
      text: ['x', '', null],
      n: [0, 9, null],
      must: [1, 2],
    };
    const name = `${argument}${random.between(0, 1)}`;
    const optional = !type.endsWith('!') && random.chance(0.3);
    this.#variables.get(name) ??
      this.#variables.set(name, {
        declared: `$${name}: ${type}`,
        value: optional ? undefined : random.pick(values[argument] ?? [null]),
      });
    return `$${name}`;
  }

  #condition(): string {
    const random = this.#random;
    if (!random.chance(0.12)) return '';
    return ` @${random.pick(['include', 'skip'])}(if: ${this.#boolean()})`;
  }

  /** A constant or a variable. */
  #boolean(): string {
    const random = this.#random;
    const value = random.pick(['$yes', '$no', '$unsaid', 'true', 'false']);
    if (value.startsWith('$')) {
      const declared = value === '$unsaid' ? `${value}: Boolean! = true` : `${value}: Boolean!`;
      const given = { $yes: true, $no: false }[value];
      this.#variables.set(value.slice(1), { declared, value: given });
    }
    return value;
  }
}
