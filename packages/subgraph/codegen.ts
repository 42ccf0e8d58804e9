import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * Returns the configuration of graphql-codegen for a subgraph. It generates resolver types from
 * `schema.graphql`, with the subgraph's `Context`.
 * @param mappers the TypeScript type of each object that resolvers return, as `path#Type`
 */
export function subgraphCodegen(mappers: Readonly<Record<string, string>>): CodegenConfig {
  return {
    schema: './schema.graphql',
    generates: {
      'src/generated/graphql.ts': {
        plugins: ['typescript', 'typescript-resolvers'],
        config: {
          federation: true,
          useTypeImports: true,
          enumsAsTypes: true,
          inputMaybeValue: 'T | null | undefined',
          contextType: '../context.ts#Context',
          scalars: { ID: 'string', DateTime: { input: 'unknown', output: 'Date' } },
          mappers,
        },
      },
    },
  };
}
