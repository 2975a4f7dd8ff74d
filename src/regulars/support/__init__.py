"""Support: the chat between staff and operator, answers found in the help texts, announcements.

Knows nothing of pages and sends nothing by itself: what follows from a message is the jobs' work.
"""

from regulars.support.announcements import (
    Announcement,
    Occasions,
    announcements,
    dismiss,
    dismissed,
    unread,
)
from regulars.support.chat import (
    InboxRow,
    answer,
    close_conversation,
    conversation_of,
    find_conversation,
    list_inbox,
    list_messages,
    see,
    unread_by_operator,
    unread_by_staff,
    write,
)
from regulars.support.help import Topic, suggest, topics_of_page
from regulars.support.mail import Letter, MailNotSent, MailServer, send

__all__ = [
    "Announcement",
    "InboxRow",
    "Letter",
    "MailNotSent",
    "MailServer",
    "Occasions",
    "Topic",
    "announcements",
    "answer",
    "close_conversation",
    "conversation_of",
    "dismiss",
    "dismissed",
    "find_conversation",
    "list_inbox",
    "list_messages",
    "see",
    "send",
    "suggest",
    "topics_of_page",
    "unread",
    "unread_by_operator",
    "unread_by_staff",
    "write",
]
