import type { GatewayContext } from '../context.ts';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { ExecutedOperation } from './execute-operation.ts';
import type { Values } from './shape-result.ts';

/** A query or mutation that was parsed, validated and planned: it needs only to be run. */
export interface ReadyOperation {
  readonly read: ParsedOperation;
  /** Undefined: these are no values for its variables. */
  readonly run: (
    variables: Values | undefined,
    context: GatewayContext,
  ) => Promise<ExecutedOperation> | undefined;
}

/** What the executor and whoever keeps ready operations tell each other through Apollo Server. */
export interface ReadyContext extends GatewayContext {
  /** Called with each operation that is run, where it can be run without Apollo Server. */
  readonly onReady?: (ready: ReadyOperation) => void;
  /** It was run already: Apollo Server is to show what came of it, which may be errors. */
  readonly executed?: Promise<ExecutedOperation>;
}
