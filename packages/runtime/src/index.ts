export { createBackoff, pause, settledOrAborted } from './backoff.ts';
export { isCertificateProblem } from './certificate-problem.ts';
export {
  badUserInput,
  cursorExpired,
  describeInvalid,
  type InvalidArgument,
  invalidArguments,
  invalidIn,
  notFound,
  ServiceError,
  StartError,
  unavailable,
} from './errors.ts';
export { createHealth, type Health, type HealthReport, OK, type PartState } from './health.ts';
export { type AllowedHosts, createAllowedHosts, MisdirectedRequest } from './http/allowed-hosts.ts';
export {
  addressGroup,
  type ClientAddress,
  callerKey,
  createClientAddress,
} from './http/client-address.ts';
export { BODY_LIMIT, createHttpServer, type RunningHttp, startHttp } from './http/http-server.ts';
export {
  ALLOWED_IDEMPOTENCY_KEY,
  idempotencyKeysOf,
  onlyIdempotencyKey,
} from './http/idempotency-header.ts';
export { isLargeAnswer, readInParts } from './http/large-answers.ts';
export { isLoopbackAddress } from './http/loopback.ts';
export { maskErrors } from './http/mask-errors.ts';
export { sendRawAnswer } from './http/raw-answer.ts';
export { allowUnread } from './http/unread-answers.ts';
export { cutReason, rejectHandshake, serveUpgrades } from './http/upgrades.ts';
export { createLogger, type Logger, withoutCredentials } from './logger.ts';
export { maskError } from './masked-error.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { createOutageLog, type Problem } from './outage-log.ts';
export type { ProcessContext } from './run-process.ts';
export type { Service } from './service.ts';
export { createSharedScrape } from './shared-scrape.ts';
export type { Stoppable } from './stoppable.ts';
