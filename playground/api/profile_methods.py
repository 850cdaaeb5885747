"""Bot API methods for the bot's profile and commands, and for information about chats."""

from playground.api.bot_method import BotMethod, MethodTable
from playground.api.parameter_types import BotCommand, BotCommandScope, ChatId, LanguageCode
from playground.state.profile import localized, with_translation
from playground.state.world import World
from playground.wire import JsonObject, bad_request

_COMMAND_LIMIT = 100

METHODS = MethodTable()


@METHODS.add
class GetMe(BotMethod):
    """Return the bot's user and its permissions."""

    def call(self, world: World) -> JsonObject:
        return {
            **world.bot.to_api(),
            "first_name": localized(world.profile.current.name, "") or world.bot.first_name,
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
        }


@METHODS.add
class GetChat(BotMethod):
    """Return Telegram's ChatFullInfo for a private chat."""

    chat_id: ChatId

    def call(self, world: World) -> JsonObject:
        chat = world.chats.find(self.chat_id)
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        return {
            **chat.to_api(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }


class LocalizedMethod(BotMethod):
    """A method for one language or, without a language code, for all languages that have no text of their own."""

    language_code: LanguageCode = ""

    def set_text(self, world: World, name: str, text: str, limit: int) -> bool:
        """Set one text in the profile, at most ``limit`` characters long."""
        if len(text) > limit:
            raise bad_request(f"{name.upper()}_TOO_LONG")
        current = getattr(world.profile.current, name)
        world.profile.change(**{name: with_translation(current, self.language_code, text)})
        world.changes.publish("profile")
        return True


class CommandsMethod(LocalizedMethod):
    """A method for the command menu in one scope and language."""

    scope: BotCommandScope = BotCommandScope(type="default")

    def set_commands(self, world: World, commands: list[JsonObject] | None) -> bool:
        """Set the menu, or remove it if ``commands`` is None.

        Raise ApiError if the chat is unknown.
        """
        if self.scope.chat_id is not None:
            world.chats.find(self.scope.chat_id)
        profile = world.profile.current.with_commands(self.scope.to_json(), self.language_code, commands)
        world.profile.put(profile)
        world.changes.publish("profile")
        return True


@METHODS.add
class SetMyCommands(CommandsMethod):
    """Set the command menu."""

    commands: list[BotCommand]

    def call(self, world: World) -> bool:
        if len(self.commands) > _COMMAND_LIMIT:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        return self.set_commands(world, [command.to_json() for command in self.commands] or None)


@METHODS.add
class DeleteMyCommands(CommandsMethod):
    """Remove the command menu, so that the menu of the next wider scope is shown."""

    def call(self, world: World) -> bool:
        return self.set_commands(world, None)


@METHODS.add
class GetMyCommands(CommandsMethod):
    """Return the commands for exactly this scope and language."""

    def call(self, world: World) -> list[JsonObject]:
        return world.profile.current.commands_for(self.scope.to_json(), self.language_code) or []


@METHODS.add
class SetMyName(LocalizedMethod):
    """Set the bot's name, at most 64 characters long."""

    name: str = ""

    def call(self, world: World) -> bool:
        return self.set_text(world, "name", self.name, 64)


@METHODS.add
class GetMyName(LocalizedMethod):
    """Return the bot's name in a language."""

    def call(self, world: World) -> JsonObject:
        return {"name": localized(world.profile.current.name, self.language_code) or world.bot.first_name}


@METHODS.add
class SetMyDescription(LocalizedMethod):
    """Set the text that an empty chat shows, at most 512 characters long."""

    description: str = ""

    def call(self, world: World) -> bool:
        return self.set_text(world, "description", self.description, 512)


@METHODS.add
class GetMyDescription(LocalizedMethod):
    """Return the text that an empty chat shows."""

    def call(self, world: World) -> JsonObject:
        return {"description": localized(world.profile.current.description, self.language_code)}


@METHODS.add
class SetMyShortDescription(LocalizedMethod):
    """Set the line on the bot's profile, at most 120 characters long."""

    short_description: str = ""

    def call(self, world: World) -> bool:
        return self.set_text(world, "short_description", self.short_description, 120)


@METHODS.add
class GetMyShortDescription(LocalizedMethod):
    """Return the line on the bot's profile."""

    def call(self, world: World) -> JsonObject:
        return {"short_description": localized(world.profile.current.short_description, self.language_code)}
