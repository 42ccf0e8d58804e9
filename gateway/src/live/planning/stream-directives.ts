import type { Directive, FieldDefinition, ObjectType } from '@apollo/federation-internals';
import { Kind, parse, type SelectionNode } from 'graphql';
import type { LoadedSupergraph } from '../../supergraph.ts';

/** URL of the specification of `@eventCursor` and `@conflate`, for `@link` in subgraphs. */
const LIVE_SPEC = 'https://gudang.dev/live';

/** The directives of one field of `Subscription`. */
export interface StreamDirectives {
  /** The argument and the payload's field for the cursor; absent unless both exist. */
  readonly resume?: {
    readonly argument: string;
    /** The argument's type without `!`, for example `String`. */
    readonly type: string;
    readonly field: string;
  };
  /** The selections on the payload whose values form an event's key. */
  readonly key?: readonly SelectionNode[];
}

const NONE: StreamDirectives = {};

/**
 * Reads the stream directives of all fields of `Subscription`.
 * @returns a function that finds them by the field's name
 */
export function readStreamDirectives({
  model,
}: Pick<LoadedSupergraph, 'model'>): (field: string) => StreamDirectives {
  const spec = model.schema.coreFeatures?.getByIdentity(LIVE_SPEC);
  const root = model.schema.schemaDefinition.rootType('subscription');
  if (!spec || !root) return () => NONE;
  const cursorName = spec.directiveNameInSchema('eventCursor');
  const conflateName = spec.directiveNameInSchema('conflate');
  const found = new Map<string, StreamDirectives>();
  for (const field of root.fields()) {
    const resume = readResume(field, cursorName);
    const [conflate] = field.appliedDirectivesOf(conflateName) as Directive[];
    const key = conflate && readKey(conflate.arguments()['by']);
    found.set(field.name, { ...(resume ? { resume } : {}), ...(key ? { key } : {}) });
  }
  return (field) => found.get(field) ?? NONE;
}

function readResume(
  field: FieldDefinition<ObjectType>,
  directive: string,
): StreamDirectives['resume'] {
  const argument = field.arguments().find((candidate) => candidate.hasAppliedDirective(directive));
  // If the argument were required, each subscription would start at its own cursor, and
  // subscriptions could not share a stream.
  if (!argument?.type || argument.isRequired()) return undefined;
  const payload = field.type && baseOf(field.type);
  if (payload?.kind !== 'ObjectType' && payload?.kind !== 'InterfaceType') return undefined;
  const carrier = payload.fields().find((candidate) => candidate.hasAppliedDirective(directive));
  if (!carrier) return undefined;
  const type = String(argument.type).replace(/!$/, '');
  return { argument: argument.name, type, field: carrier.name };
}

function baseOf(type: NonNullable<FieldDefinition<ObjectType>['type']>) {
  return type.kind === 'NonNullType' || type.kind === 'ListType' ? type.baseType() : type;
}

function readKey(by: unknown): readonly SelectionNode[] | undefined {
  if (typeof by !== 'string') return undefined;
  const [definition] = parse(`{ ${by} }`).definitions;
  return definition?.kind === Kind.OPERATION_DEFINITION
    ? definition.selectionSet.selections
    : undefined;
}
