// Sends people's actions to the server, and receives the stream of changes.

async function readJson(response) {
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const get = (path) => fetch(`/sim/${path}`).then(readJson);

export const post = (action, values = {}) =>
  fetch(`/sim/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  }).then(readJson);

export function upload(action, file, values, field = action) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(name, value);
  form.set(field, file, file.name);
  return fetch(`/sim/${action}`, { method: "POST", body: form }).then(readJson);
}

// Calls `onOpen` for every new connection, because changes may have been missed, and `onChange` with each change.
export function subscribe(onOpen, onChange, onError) {
  const source = new EventSource("/sim/events");
  source.onopen = onOpen;
  source.onerror = onError;
  source.onmessage = (event) => onChange(JSON.parse(event.data));
}
