/** The token as headers of a request, and as the payload of `connection_init` and of a ping. */
export const authorization = (token: string | null): { readonly authorization?: string } =>
  token === null ? {} : { authorization: `Bearer ${token}` };
