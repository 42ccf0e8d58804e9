import type { GraphQLError } from 'graphql';

/** The data of a deferred fragment of one object. */
export interface DeferredItem {
  /** The client's label. */
  readonly label: string | undefined;
  /** Path of the object. */
  readonly path: readonly (string | number)[];
  /** Null if a value is null that must not be. The object itself remains then. */
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly GraphQLError[] | undefined;
}

/** Receives the parts of a result that follow its first one. */
export interface PartSink {
  /** Called before the first part is returned, if others follow it. */
  readonly begin: () => void;
  /** Receives a part. @param hasNext whether another one follows */
  readonly add: (items: readonly DeferredItem[], hasNext: boolean) => void;
}
