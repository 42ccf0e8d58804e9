import './quiet-apollo.ts';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Schema, Supergraph } from '@apollo/federation-internals';
import { StartError } from '@gudang/runtime';
import { GraphQLError, type GraphQLSchema, Kind, parse, print, visit } from 'graphql';
import { addMissingIntrospectionFields } from './introspection-fields.ts';

/** Path of the supergraph in the gateway's package, beside `src` and `dist`. */
export const supergraphPath = fileURLToPath(new URL('../supergraph.graphql', import.meta.url));

/** A supergraph in the forms that Apollo's libraries need. */
export interface LoadedSupergraph {
  /** The composed text. */
  readonly sdl: string;
  /** The text without `for: SECURITY`, which @apollo/gateway rejects. */
  readonly runnableSdl: string;
  readonly model: Supergraph;
  /** The schema that clients see. */
  readonly apiSchema: Schema;
  /** The same with the directive `@defer`. */
  readonly schema: GraphQLSchema;
  /** The schema with the types and directives of federation. */
  readonly supergraphSchema: GraphQLSchema;
  readonly subgraphs: readonly { readonly name: string; readonly url: string }[];
}

/**
 * Loads a supergraph.
 * @throws {StartError} if the file is missing or is not a supergraph of Federation 2
 */
export async function loadSupergraph(path = supergraphPath): Promise<LoadedSupergraph> {
  return parseSupergraph(path, await loadSdl(path));
}

/**
 * Reads the text of a supergraph.
 * @throws {StartError} if the file is missing or unreadable
 */
export async function loadSdl(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : 'cannot be read';
    throw new StartError(
      `The supergraph ${path} ${reason}: set SUPERGRAPH to the file of a composed supergraph`,
    );
  }
}

/**
 * Builds a supergraph, with errors for operators.
 * @param path names the file in errors
 * @throws {StartError} if the text is not a supergraph
 */
export function parseSupergraph(path: string, sdl: string): LoadedSupergraph {
  try {
    return buildSupergraph(sdl);
  } catch (error) {
    throw new StartError(
      `The supergraph ${path} cannot be used: ${firstReason(error)}; compose it again, or set SUPERGRAPH to another one`,
    );
  }
}

/**
 * Builds a supergraph.
 * @throws Apollo's error if the text is not a supergraph
 */
export function buildSupergraph(sdl: string): LoadedSupergraph {
  const runnableSdl = withoutEnforced(sdl);
  const model = Supergraph.build(runnableSdl);
  const apiSchema = model.apiSchema();
  addMissingIntrospectionFields(apiSchema);
  return {
    sdl,
    runnableSdl,
    model,
    apiSchema,
    schema: apiSchema.toGraphQLJSSchema({ includeDefer: true }),
    supergraphSchema: model.schema.toGraphQLJSSchema(),
    subgraphs: model.subgraphsMetadata(),
  };
}

function firstReason(error: unknown): string {
  const causes = (error as { causes?: unknown }).causes;
  const first = Array.isArray(causes) ? causes[0] : error;
  const at = first instanceof GraphQLError ? first.locations?.[0] : undefined;
  const message = first instanceof Error ? first.message.split('\n')[0] : 'it is not a supergraph';
  return at ? `line ${at.line}: ${message}` : String(message);
}

/** The security features that the gateway enforces itself; Apollo still rejects others, such as `@policy`. */
const ENFORCED = /^https:\/\/specs\.apollo\.dev\/(?:authenticated|requiresScopes|context)\/v0\.1$/;

/**
 * Removes `for: SECURITY` from the links of `@authenticated` and `@requiresScopes`, because
 * @apollo/gateway rejects a supergraph that contains it. `auth/field-requirements.ts` enforces
 * these directives.
 */
function withoutEnforced(sdl: string): string {
  if (!sdl.includes('SECURITY')) return sdl;
  const document = parse(sdl, { noLocation: true });
  return print(
    visit(document, {
      Directive: (link) => {
        if (link.name.value !== 'link') return undefined;
        const url = link.arguments?.find(({ name }) => name.value === 'url')?.value;
        if (url?.kind !== Kind.STRING || !ENFORCED.test(url.value)) return undefined;
        return { ...link, arguments: link.arguments?.filter(({ name }) => name.value !== 'for') };
      },
    }),
  );
}
