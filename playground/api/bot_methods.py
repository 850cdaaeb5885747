"""Bot API methods about the bot itself and how it hears of updates."""

from playground.api.method_table import MethodTable
from playground.api.parameter_types import COMMANDS, LANGUAGE, SCOPE, SECRET
from playground.api.parameters import BOOLEAN, CHAT_ID, INTEGER, STRING, UPLOAD, array, between, may, need
from playground.state.files import DOWNLOAD_LIMIT
from playground.state.profile import localized, relocalized
from playground.state.world import World
from playground.wire import JsonObject, bad_request, conflict, not_built

_COMMAND_LIMIT = 100
_EVERYWHERE: JsonObject = {"type": "default"}

METHODS = MethodTable()


@METHODS.method("getMe")
def get_me(world: World, given: JsonObject) -> JsonObject:
    """Tell the bot who it is and what it may do."""
    return {
        **world.bot.to_api(),
        "first_name": localized(world.profile.now.name, "") or world.bot.first_name,
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


@METHODS.method(
    "getUpdates",
    offset=may(INTEGER),
    limit=may(between(1, 100)),
    timeout=may(INTEGER),
    allowed_updates=may(array(STRING)),
)
async def get_updates(world: World, given: JsonObject) -> list[JsonObject]:
    """Long polling. Refused while a webhook is set; ends another getUpdates that is open."""
    if world.profile.now.webhook_url:
        raise conflict(
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    if "allowed_updates" in given:
        world.profile.change(allowed_updates=tuple(given["allowed_updates"]))
    seconds = min(max(given.get("timeout", 0), 0), 50)
    return await world.updates.poll(given.get("offset", 0), given.get("limit", 100), seconds)


@METHODS.method(
    "setWebhook",
    url=need(STRING),
    certificate=may(UPLOAD),
    ip_address=may(STRING),
    max_connections=may(between(1, 100)),
    allowed_updates=may(array(STRING)),
    drop_pending_updates=may(BOOLEAN),
    secret_token=may(SECRET),
)
def set_webhook(world: World, given: JsonObject) -> bool:
    """Post updates to ``url`` from now on. Unlike Telegram's, the address may be plain http, on this machine."""
    url = given["url"]
    if url and not url.startswith(("http://", "https://")):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    for name in ("certificate", "ip_address"):
        if name in given:
            raise not_built(f"{name} for webhooks")
    if given.get("drop_pending_updates"):
        world.updates.clear()
    world.webhook.forget_errors()
    world.profile.change(
        webhook_url=url,
        webhook_secret=given.get("secret_token", ""),
        webhook_connections=given.get("max_connections", 40),
        allowed_updates=tuple(given.get("allowed_updates", world.profile.now.allowed_updates)),
    )
    if url:
        world.updates.end_poll(conflict("terminated by setWebhook request"))
    world.changes.publish("status")
    return True


@METHODS.method("deleteWebhook", drop_pending_updates=may(BOOLEAN))
def delete_webhook(world: World, given: JsonObject) -> bool:
    """Go back to long polling."""
    if given.get("drop_pending_updates"):
        world.updates.clear()
    world.webhook.forget_errors()
    world.profile.change(webhook_url="", webhook_secret="")
    world.changes.publish("status")
    return True


@METHODS.method("getWebhookInfo")
def get_webhook_info(world: World, given: JsonObject) -> JsonObject:
    """Address of the webhook, updates that wait, and the last failure."""
    return world.webhook.info()


@METHODS.method("getChat", chat_id=need(CHAT_ID))
def get_chat(world: World, given: JsonObject) -> JsonObject:
    """Telegram's ChatFullInfo of a private chat."""
    chat = world.chats.find(given["chat_id"])
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    return {
        **chat.to_api(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }


@METHODS.method("getFile", file_id=need(STRING))
def get_file(world: World, given: JsonObject) -> JsonObject:
    """Where to download a file of up to 20 MB."""
    stored = world.files.find(given["file_id"])
    if stored.size > DOWNLOAD_LIMIT:
        raise bad_request("file is too big")
    return {**stored.to_api(), "file_path": stored.path}


@METHODS.method("setMyCommands", commands=need(COMMANDS), scope=may(SCOPE), language_code=may(LANGUAGE))
def set_my_commands(world: World, given: JsonObject) -> bool:
    """Set the command menu of one scope and language."""
    if len(given["commands"]) > _COMMAND_LIMIT:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    return _put_commands(world, given, given["commands"] or None)


@METHODS.method("deleteMyCommands", scope=may(SCOPE), language_code=may(LANGUAGE))
def delete_my_commands(world: World, given: JsonObject) -> bool:
    """Let the next wider scope show through."""
    return _put_commands(world, given, None)


@METHODS.method("getMyCommands", scope=may(SCOPE), language_code=may(LANGUAGE))
def get_my_commands(world: World, given: JsonObject) -> list[JsonObject]:
    """The commands of exactly one scope and language."""
    return world.profile.now.commands_for(given.get("scope", _EVERYWHERE), given.get("language_code", "")) or []


@METHODS.method("setMyName", name=may(STRING), language_code=may(LANGUAGE))
def set_my_name(world: World, given: JsonObject) -> bool:
    """Set the bot's name, up to 64 characters."""
    return _put_text(world, "name", given, 64)


@METHODS.method("getMyName", language_code=may(LANGUAGE))
def get_my_name(world: World, given: JsonObject) -> JsonObject:
    """The bot's name in a language."""
    name = localized(world.profile.now.name, given.get("language_code", ""))
    return {"name": name or world.bot.first_name}


@METHODS.method("setMyDescription", description=may(STRING), language_code=may(LANGUAGE))
def set_my_description(world: World, given: JsonObject) -> bool:
    """Set what an empty chat shows, up to 512 characters."""
    return _put_text(world, "description", given, 512)


@METHODS.method("getMyDescription", language_code=may(LANGUAGE))
def get_my_description(world: World, given: JsonObject) -> JsonObject:
    """What an empty chat shows."""
    return {"description": localized(world.profile.now.description, given.get("language_code", ""))}


@METHODS.method("setMyShortDescription", short_description=may(STRING), language_code=may(LANGUAGE))
def set_my_short_description(world: World, given: JsonObject) -> bool:
    """Set the line on the bot's profile, up to 120 characters."""
    return _put_text(world, "short_description", given, 120)


@METHODS.method("getMyShortDescription", language_code=may(LANGUAGE))
def get_my_short_description(world: World, given: JsonObject) -> JsonObject:
    """The line on the bot's profile."""
    return {"short_description": localized(world.profile.now.short_description, given.get("language_code", ""))}


def _put_commands(world: World, given: JsonObject, commands: list[JsonObject] | None) -> bool:
    scope, language = given.get("scope", _EVERYWHERE), given.get("language_code", "")
    if "chat_id" in scope:
        world.chats.find(scope["chat_id"])
    world.profile.put(world.profile.now.with_commands(scope, language, commands))
    world.changes.publish("profile")
    return True


def _put_text(world: World, name: str, given: JsonObject, limit: int) -> bool:
    text = given.get(name, "")
    if len(text) > limit:
        raise bad_request(f"{name.upper()}_TOO_LONG")
    current = getattr(world.profile.now, name)
    world.profile.change(**{name: relocalized(current, given.get("language_code", ""), text)})
    world.changes.publish("profile")
    return True
