// Renders a text with entities as DOM nodes. Offsets are in UTF-16 code units, like the indices of JavaScript strings.

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

export function richText(text, entities, onCommand) {
  const root = document.createElement("div");
  root.className = "text";
  render(root, text, 0, text.length, entities ?? [], onCommand);
  return root;
}

// Entities are sorted by offset, longer first, and can be nested: each one contains those inside its range.
function render(parent, text, start, end, entities, onCommand) {
  let at = start;
  for (let i = 0; i < entities.length; ) {
    const entity = entities[i];
    const entityEnd = Math.min(entity.offset + entity.length, end);
    let next = i + 1;
    while (next < entities.length && entities[next].offset < entityEnd) next++;
    parent.append(text.slice(at, entity.offset));
    const element = elementFor(entity, text.slice(entity.offset, entityEnd), onCommand);
    render(element, text, entity.offset, entityEnd, entities.slice(i + 1, next), onCommand);
    parent.append(element);
    at = entityEnd;
    i = next;
  }
  parent.append(text.slice(at, end));
}

function elementFor(entity, shown, onCommand) {
  if (entity.type === "url" || entity.type === "text_link") {
    const link = document.createElement("a");
    const address = entity.url ?? (/^https?:/i.test(shown) ? shown : `http://${shown}`);
    if (/^(https?|tg):/i.test(address)) link.href = address;
    link.target = "_blank";
    link.rel = "noreferrer";
    return link;
  }
  if (entity.type === "bot_command") {
    const command = document.createElement("button");
    command.type = "button";
    command.className = "command";
    command.addEventListener("click", () => onCommand(shown));
    return command;
  }
  if (entity.type === "spoiler") {
    const spoiler = document.createElement("span");
    spoiler.className = "spoiler";
    spoiler.tabIndex = 0;
    const show = () => spoiler.classList.add("shown");
    spoiler.addEventListener("click", show);
    spoiler.addEventListener("keydown", (event) => event.key === "Enter" && show());
    return spoiler;
  }
  return document.createElement(TAGS[entity.type] ?? "span");
}
