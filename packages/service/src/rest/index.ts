export {
  fieldsOf,
  type IdentityOf,
  REST_LIST_LIMIT,
  type RestAnswer,
  serveRest,
} from './serve-rest.ts';
