import type { Random } from '@gudang/testing/random';
import {
  type AbstractModel,
  type FieldModel,
  type FieldSpec,
  type GraphModel,
  isObjectModel,
  namedType,
  type ObjectModel,
  type Placement,
  ROOTS,
  type Root,
  runtimeTypes,
  type TypeModel,
} from './graph-model.ts';

const OWN: Placement = { resolves: true, directives: [] };
const SHARED: Placement = { resolves: true, directives: ['@shareable'] };
const SCALARS = new Set(['Int', 'String', 'Boolean', 'ID', 'Color', 'Float']);

/** Fields of keys. Their values are unique for each entity of a type. */
const KEY_SPECS: Readonly<Record<string, FieldSpec>> = {
  id: { name: 'id', type: 'ID!', args: [] },
  code: { name: 'code', type: 'Int!', args: [] },
  region: { name: 'region', type: 'String!', args: [] },
  num: { name: 'num', type: 'Int!', args: [] },
  ref: { name: 'ref', type: 'Ref!', args: [] },
  boss: { name: 'boss', type: 'E0!', args: [] },
};

/** Adds types and fields so that every subgraph declares all types that its fields need. */
export class GraphBuilder implements GraphModel {
  readonly seed: number;
  readonly subgraphs: readonly string[];
  readonly types = new Map<string, TypeModel>();
  readonly roots = new Map<Root, Map<string, FieldModel>>(ROOTS.map((root) => [root, new Map()]));
  readonly fails: boolean;
  readonly scalarSpecs: FieldSpec[] = [];
  readonly objectSpecs: FieldSpec[] = [];
  readonly #random: Random;

  constructor(seed: number, random: Random) {
    this.seed = seed;
    this.#random = random;
    this.subgraphs = ['a', 'b', 'c', 'd', 'e'].slice(0, random.pick([2, 2, 3, 3, 3, 4, 5]));
    this.fails = random.chance(0.4);
  }

  /** All entities and values, except the type of nested keys. */
  objects(): ObjectModel[] {
    return [...this.types.values()].filter(isObjectModel).filter(({ name }) => name !== 'Ref');
  }

  abstracts(): AbstractModel[] {
    return [...this.types.values()].filter((type) => !isObjectModel(type));
  }

  object(name: string): ObjectModel {
    return this.types.get(name) as ObjectModel;
  }

  addObject(kind: ObjectModel['kind'], name: string, keys: readonly string[]): void {
    this.types.set(name, { kind, name, keys, fields: new Map(), at: new Map() });
  }

  addInterface(name: string, members: readonly string[], specs: readonly FieldSpec[]): void {
    this.types.set(name, {
      kind: 'interface',
      name,
      members,
      specs,
      at: new Map(),
      objectIn: new Map(),
    });
  }

  addUnion(name: string, members: readonly string[]): void {
    this.types.set(name, {
      kind: 'union',
      name,
      members,
      specs: [],
      at: new Map(),
      objectIn: new Map(),
    });
  }

  /** The fields that the interfaces of a type require. */
  interfaceSpecs(type: string): FieldSpec[] {
    return this.abstracts()
      .filter(({ kind, members }) => kind === 'interface' && members.includes(type))
      .flatMap(({ specs }) => specs);
  }

  /** Declares an entity in a subgraph, with the fields of its keys. */
  placeEntity(type: string, place: string, keys: readonly string[], resolvable = true): void {
    const entity = this.object(type);
    const declared = entity.at.get(place) ?? [];
    entity.at.set(place, declared);
    for (const fields of keys) {
      if (!declared.some((known) => known.fields === fields)) declared.push({ fields, resolvable });
      for (const name of fields.replace(/\{.*?\}/g, '').match(/\w+/g) ?? []) {
        this.#placeKeyField(entity, place, name, OWN);
      }
    }
    this.#placeKeyField(entity, place, 'id', SHARED);
  }

  #placeKeyField(entity: ObjectModel, place: string, name: string, as: Placement): void {
    const spec = KEY_SPECS[name] as FieldSpec;
    const field = this.#field(entity.fields, spec);
    if (!field.at.has(place) || as === OWN) field.at.set(place, as);
    if (name === 'ref') this.#placeRef(place);
    if (name === 'boss') this.ensure('E0', place);
  }

  #placeRef(place: string): void {
    if (!this.types.has('Ref')) this.addObject('value', 'Ref', []);
    const { fields, at } = this.object('Ref');
    at.set(place, []);
    const specs = [
      { name: 'of', type: 'String!', args: [] },
      { name: 'num', type: 'Int!', args: [] },
    ];
    for (const spec of specs) this.#field(fields, spec).at.set(place, SHARED);
  }

  #field(fields: Map<string, FieldModel>, { name, type, args }: FieldSpec): FieldModel {
    const field = fields.get(name) ?? { name, type, args, at: new Map() };
    fields.set(name, field);
    return field;
  }

  /**
   * Declares the type of a field in a subgraph, and what the type needs there.
   * @returns false if the subgraph cannot declare it
   */
  ensure(type: string, place: string): boolean {
    if (SCALARS.has(type)) return true;
    const model = this.types.get(type);
    if (!model) return false;
    if (!isObjectModel(model)) return this.#ensureAbstract(model, place);
    return model.kind === 'entity'
      ? this.#ensureEntity(model, place)
      : this.#ensureValue(model, place);
  }

  #ensureEntity(entity: ObjectModel, place: string): boolean {
    if (entity.at.has(place)) return true;
    if (this.#isObjectIn(entity.name, place)) return false;
    const key = entity.keys[0] ?? 'id';
    this.placeEntity(entity.name, place, [key], this.#random.chance(0.5));
    return true;
  }

  /** Whether a subgraph declares an interface of the type as an object. */
  #isObjectIn(member: string, place: string): boolean {
    return this.abstracts().some(
      ({ members, objectIn }) => members.includes(member) && objectIn.has(place),
    );
  }

  #ensureValue(value: ObjectModel, place: string): boolean {
    if (value.at.has(place)) return true;
    value.at.set(place, []);
    const partial = this.#random.chance(0.08);
    for (const field of value.fields.values()) {
      if (partial && this.#random.chance(0.3)) continue;
      if (this.ensure(namedType(field.type), place)) field.at.set(place, SHARED);
    }
    return true;
  }

  #ensureAbstract(abstract: AbstractModel, place: string): boolean {
    if (abstract.at.has(place) || abstract.objectIn.has(place)) return true;
    const members = new Set<string>();
    const all = this.#random.chance(0.6) || abstract.key !== undefined;
    for (const member of abstract.members) {
      if (!all && members.size > 0 && this.#random.chance(0.5)) continue;
      if (this.ensure(member, place)) members.add(member);
    }
    if (members.size === 0) return false;
    abstract.at.set(place, members);
    return true;
  }

  /** Makes an interface an entity that one subgraph declares as an object, if that is possible. */
  makeInterfaceObject(name: string): void {
    const abstract = this.types.get(name) as AbstractModel;
    const members = abstract.members.map((member) => this.object(member));
    const place = this.subgraphs.find((one) => members.every(({ at }) => !at.has(one)));
    const others = this.subgraphs.filter((one) => one !== place);
    if (place === undefined || members.some(({ kind }) => kind !== 'entity')) return;
    const home = this.#random.pick(others);
    for (const member of members) this.placeEntity(member.name, home, ['id']);
    const keyed = { ...abstract, key: 'id', at: new Map(), objectIn: new Map() };
    const id = { ...(KEY_SPECS['id'] as FieldSpec), at: new Map([[place, OWN]]) };
    keyed.objectIn.set(place, new Map([['id', id]]));
    this.types.set(name, keyed);
    this.ensure(name, home);
  }

  addEntityField(type: string, spec: FieldSpec, shared: boolean): void {
    const entity = this.object(type);
    const places = this.#random.shuffled([...entity.at.keys()]);
    const possible = places.filter((place) => this.ensure(namedType(spec.type), place));
    const used = possible.slice(0, shared ? this.#random.between(2, 3) : 1);
    if (entity.fields.has(spec.name)) return;
    const field = this.#field(entity.fields, spec);
    for (const place of used) field.at.set(place, used.length > 1 ? SHARED : OWN);
    if (!this.#canResolve(field)) entity.fields.delete(spec.name);
  }

  addValueField(type: string, spec: FieldSpec): void {
    const { fields, at } = this.object(type);
    if (fields.has(spec.name)) return;
    const field = this.#field(fields, spec);
    for (const place of at.keys()) {
      if (this.ensure(namedType(spec.type), place)) field.at.set(place, SHARED);
    }
  }

  addInterfaceObjectField(name: string, place: string, spec: FieldSpec): void {
    const abstract = this.types.get(name) as AbstractModel;
    const isKnown = abstract.members.some((member) => this.object(member).fields.has(spec.name));
    const fields = abstract.objectIn.get(place);
    if (!fields || isKnown || abstract.specs.some((known) => known.name === spec.name)) return;
    if (this.ensure(namedType(spec.type), place)) this.#field(fields, spec).at.set(place, OWN);
  }

  addRoot(root: Root, place: string, spec: Omit<FieldSpec, 'name'>, shared: boolean): void {
    const fields = this.roots.get(root) as Map<string, FieldModel>;
    const name = `${root.toLowerCase().slice(0, 1)}${fields.size}`;
    const others = this.#random.shuffled(this.subgraphs).filter((one) => one !== place);
    const places = [place, ...(shared ? others.slice(0, 1) : [])].filter((one) =>
      this.ensure(namedType(spec.type), one),
    );
    if (places.length === 0) return;
    const field = this.#field(fields, { name, ...spec });
    for (const one of places) field.at.set(one, places.length > 1 ? SHARED : OWN);
    if (!this.#canResolve(field)) fields.delete(name);
  }

  /** Whether some subgraph resolves a field, and all of them know a common type of its values. */
  #canResolve(field: FieldModel): boolean {
    if (![...field.at.values()].some(({ resolves }) => resolves)) return false;
    return SCALARS.has(namedType(field.type)) || runtimeTypes(this, field).length > 0;
  }

  /** Moves one field of an entity to another subgraph by `@override`, at once or for a share of executions. */
  overrideField(type: string): void {
    const entity = this.object(type);
    for (const field of this.#random.shuffled([...entity.fields.values()])) {
      const [[from, placed] = ['', OWN], ...others] = [...field.at];
      if (placed !== OWN || others.length > 0 || field.name in KEY_SPECS) continue;
      const to = [...entity.at.keys()].find(
        (place) => place !== from && this.ensure(namedType(field.type), place),
      );
      if (to === undefined) continue;
      const isGradual = this.#random.chance(0.5);
      const share = this.#random.pick([0, 25, 50, 100]);
      const label = isGradual ? `, label: "percent(${share})"` : '';
      field.at.set(from, { resolves: isGradual, directives: [] });
      field.at.set(to, { resolves: true, directives: [`@override(from: "${from}"${label})`] });
      if (this.#canResolve(field)) return;
      field.at.set(from, OWN);
      field.at.delete(to);
    }
  }
}
