import type { TypedDocumentNode } from '@graphql-typed-document-node/core';

/**
 * An operation: a text, the document of gql.tada or `graphql-tag` (`TypedDocumentNode`), or the
 * `TypedDocumentString` of GraphQL Code Generator.
 */
export type LiveDocument<TData = unknown, TVariables = Variables> =
  | string
  | TypedDocumentNode<TData, TVariables>
  | TypedDocumentText<TData, TVariables>;

/** The shape of `TypedDocumentString`, the result of `documentMode: 'string'`. */
export interface TypedDocumentText<TData, TVariables> {
  readonly __apiType?: ((variables: TVariables) => TData) | undefined;
  toString(): string;
}

/** The variables of an operation. */
// biome-ignore lint/suspicious/noExplicitAny: generated types of variables have no index signature
export type Variables = Readonly<Record<string, any>>;
