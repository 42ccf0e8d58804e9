export {
  type CallerOf,
  fieldsOf,
  REST_LIST_LIMIT,
  type RestAnswer,
  serveRest,
} from './serve-rest.ts';
