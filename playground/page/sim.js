// The people's side of the server: requests, and the stream of changes.

async function checked(response) {
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

export const get = (path) => fetch(`/sim/${path}`).then(checked);

export const post = (action, values = {}) =>
  fetch(`/sim/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(values),
  }).then(checked);

export function upload(action, file, values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(name, value);
  form.set(action, file, file.name);
  return fetch(`/sim/${action}`, { method: "POST", body: form }).then(checked);
}

// Calls `opened` at every new connection, because changes in between were missed, and `changed` with each change.
export function follow(opened, changed, lost) {
  const source = new EventSource("/sim/events");
  source.onopen = opened;
  source.onerror = lost;
  source.onmessage = (event) => changed(JSON.parse(event.data));
}
