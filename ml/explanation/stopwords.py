"""Function words, which are named only if they move a verdict at least a quarter as much as the strongest word does."""

from typing import Final

_LIST: Final = """
a an the this that these those
i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers herself
it its itself they them their theirs themselves who whom whose which what one
i'm i've i'd i'll we're we've we'd we'll you're you've you'd you'll he's he'd he'll she's she'd she'll
it's it'd it'll they're they've they'd they'll that's there's here's what's who's let's
am is are was were be been being do does did doing done have has had having
can could may might must shall should will would
isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't cannot couldn't mustn't shouldn't
won't wouldn't not no nor
and or but if then else so than as because while when where why how though although until unless since
of at by for with about against between into through during before after above below to from up down in out on off
over under again further once here there all any both each few more most other some such only own same too very
just also even ever
"""
STOPWORDS: Final = frozenset(_LIST.split())
