/**
 * What a process learns of its connection from its environment, pure.
 *
 * Law: names are ours, and only ours. A field named `Proxy` would become HTTP_PROXY, which programs obey (httpoxy), so
 * there is a list, and no rule that makes names of fields.
 */
import type { WsRequest } from '../../options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes the environment of a process: ours, and what the request says. What it does not say is not there, whatever ours
 * has under that name.
 */
export function createEnvironment(
  ours: Environment,
  { url, headers, remoteAddress }: WsRequest,
  protocol: string,
): Environment {
  const question = url.indexOf('?');
  return {
    ...ours,
    REMOTE_ADDR: remoteAddress,
    REQUEST_URI: url,
    QUERY_STRING: question === -1 ? '' : url.slice(question + 1),
    WEBSOCKET_PROTOCOL: protocol,
    HTTP_HOST: oneLine(headers.host),
    HTTP_ORIGIN: oneLine(headers.origin),
    HTTP_COOKIE: oneLine(headers.cookie),
    HTTP_USER_AGENT: oneLine(headers['user-agent']),
  };
}

function oneLine(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value.join(', ') : value;
}
