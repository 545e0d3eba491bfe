// The WebSocket of the web's standard: the platform's own (Bun, Deno), or a class that is handed over.

export function openWith(Class) {
  return (url, onMessage) =>
    new Promise((resolve, reject) => {
      const conn = new Class(url);
      conn.binaryType = 'arraybuffer';
      conn.onerror = reject;
      conn.onmessage = ({ data }) => onMessage(data);
      conn.onopen = () => resolve((data) => conn.send(data));
    });
}
