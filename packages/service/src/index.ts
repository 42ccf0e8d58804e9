/**
 * What every process stands on. What only some of them need is under names of its own, such as
 * `@gudang/service/kafka`, so that the gateway loads neither Kafka's client nor a database's.
 */
export { type Backoff, createBackoff, pause } from './backoff.ts';
export { badUserInput, type ErrorCode, notFound, ServiceError, unavailable } from './errors.ts';
export { presentError } from './graphql/present-error.ts';
export { type Traced, traceOperations } from './graphql/trace-operations.ts';
export { validateSafely } from './graphql/validate-safely.ts';
export { createHealth, type Health, type HealthReport, OK, type PartState } from './health.ts';
export { hideErrors } from './http/hide-errors.ts';
export { BODY_LIMIT, createHttpServer, type RunningHttp, startHttp } from './http/http-server.ts';
export {
  accessRefused,
  demand,
  hasScope,
  isKnown,
  meets,
  type Requirement,
} from './identity/access.ts';
export { IDENTITY_HEADER, SECRET_HEADER } from './identity/believed-identity.ts';
export { ANONYMOUS, encodeIdentity, type Identity, UNRESTRICTED } from './identity/identity.ts';
export type { ProcessContext } from './lifecycle.ts';
export { createLogger, type Logger, withoutCredentials } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type Service, startService } from './service.ts';
export { StartError } from './start-error.ts';
export type { Stoppable } from './stoppable.ts';
