"""What is said in the demo's calls: agents' and customers' lines by topic, part and mood."""

from __future__ import annotations

import numpy as np

from ser_batch.lab.synthetic.dialogue import Mood, Part

TOPICS = ("billing", "cancellation", "delivery", "technical")

AGENT_GREETINGS = (
    "Good morning, thank you for calling customer service. How can I help you today?",
    "Hello, you are through to customer service. What can I do for you?",
    "Thank you for waiting. My name is on your confirmation. How may I help?",
    "Welcome to customer care. May I ask what this is about?",
    "Hello and thank you for calling. How can I help you?",
)

AGENT_ANSWERS: dict[str, tuple[str, ...]] = {
    "neutral": (
        "All right. Could you give me your customer number, please?",
        "Thank you. I have opened your account now.",
        "Let me have a look at that for you.",
        "I see. When did this happen for the first time?",
        "May I ask whether you have received our letter?",
        "One moment please, I am just reading the notes.",
        "Yes, I can see that here on my screen.",
        "And is the address still the same as last year?",
        "I will make a note of that in your file.",
        "That should be done by tomorrow afternoon.",
        "You will get a message from us as soon as it is ready.",
        "Is there a telephone number on which we can reach you?",
    ),
    "anger": (
        "I am very sorry about that. Let me see what I can do.",
        "I understand that this is annoying, and I apologise.",
        "You are right, that should not have happened.",
        "I can hear that you are upset, and I want to put it right.",
        "I am sorry that nobody has called you back.",
        "Please give me a moment to find out what went wrong.",
        "I will pass this on to my supervisor straight away.",
        "I can offer you a credit for the trouble you have had.",
    ),
    "sadness": (
        "I am sorry to hear that. Please take your time.",
        "That must be hard for you. We will find a way.",
        "Do not worry, we can arrange that together.",
        "I will make sure that you get no more letters about it.",
        "Of course. Let me see how I can make this easier for you.",
        "Thank you for telling me. I will take care of it myself.",
    ),
    "happiness": (
        "That is lovely to hear, thank you.",
        "I am glad that it worked out so well.",
        "Wonderful. I will pass that on to the team.",
        "It was a pleasure. Is there anything else?",
        "Great. Then I will put that through for you now.",
        "You are very welcome. We are happy to help.",
    ),
}

AGENT_HOLDS = (
    "May I put you on hold for a moment while I ask my colleague?",
    "I need to check that with another department. Please stay on the line.",
    "Bear with me, I will put you on hold for just a minute.",
)

AGENT_RETURNS = (
    "Thank you for holding. I have found it now.",
    "Hello, I am back. Thanks for your patience.",
    "Thank you for waiting. My colleague has explained it to me.",
)

AGENT_CLOSINGS = (
    "Thank you for your call. Goodbye.",
    "We will be in touch with you by Friday. Goodbye.",
    "I will send you a confirmation today. Have a good day.",
    "Thank you for getting in touch. Goodbye and take care.",
)

PROBLEMS: dict[str, tuple[str, ...]] = {
    "billing": (
        "I am calling about the invoice that I got this week. It is higher than usual.",
        "There is an amount on my bill that I do not recognise.",
        "I have been charged twice for the same month, it seems.",
        "My contract says thirty pounds, and the bill says forty five.",
        "I would like to know what the service fee on my invoice is for.",
        "The direct debit was taken from my account a week too early.",
    ),
    "cancellation": (
        "I would like to cancel my contract at the end of the month.",
        "I wrote to you about ending my subscription, and I have had no answer.",
        "I am moving abroad and need to close my account.",
        "I want to take back the extension that I agreed to on the telephone.",
        "My mother had a contract with you, and I need to end it for her.",
        "I am calling because I want to change to a smaller plan or leave.",
    ),
    "delivery": (
        "I ordered a washing machine, and it should have been here on Tuesday.",
        "My parcel was left with a neighbour, but nobody here has it.",
        "The table you delivered yesterday has a broken leg.",
        "I only received half of the things that I ordered.",
        "The driver says that he rang the bell, but I was at home all day.",
        "I would like to change the address for my next delivery.",
    ),
    "technical": (
        "My internet connection has been dropping since the weekend.",
        "The new router does not start, the red light keeps blinking.",
        "I cannot log in to my account any more, it says wrong password.",
        "The television picture freezes every few minutes.",
        "Since the update my telephone does not ring when somebody calls.",
        "The technician was here on Monday, but it still does not work.",
    ),
}

MOOD_LINES: dict[str, tuple[str, ...]] = {
    "neutral": (
        "The number is four seven one, double two, nine.",
        "It was in the second week of March, I think.",
        "Yes, the address is still the same.",
        "I wrote an email about it on the fourteenth.",
        "No, I have not received a letter from you.",
        "I have the papers here in front of me.",
        "My date of birth is the third of May.",
        "I called before, and your colleague made a note.",
        "You can reach me on my mobile in the evening.",
        "The account is in the name of my wife.",
    ),
    "calm": (
        "That is all right, take your time.",
        "I see, that makes sense to me.",
        "No problem at all, I can wait for a minute.",
        "Good, then I will send you the form tonight.",
        "Okay, next Thursday would be fine.",
        "I understand. Thank you for explaining it.",
        "That sounds reasonable. Let us do it that way.",
        "Yes, I have written that down.",
    ),
    "anger": (
        "This is the third time that I am calling about the same thing!",
        "I have been waiting for three weeks, and nobody has called me back!",
        "No! I have already told your colleague all of that!",
        "That is simply not good enough! I want to speak to a manager!",
        "I am sick and tired of being passed around!",
        "You keep promising things, and nothing ever happens!",
        "Do you have any idea how much time this has cost me?",
        "I do not want another apology! I want it fixed today!",
        "This is outrageous! I will not pay for that!",
        "Stop reading from your script and listen to me!",
        "Never in my life have I been treated like this!",
        "If this is not settled by tomorrow, you will hear from my lawyer!",
    ),
    "sadness": (
        "I do not know what else I can do.",
        "It has been a very difficult time for us.",
        "My husband always looked after these things, and he is gone now.",
        "I am just so tired of it all.",
        "I lost my job in January, and I cannot pay it all at once.",
        "I had hoped that it would be over by now.",
        "It does not really matter any more, I suppose.",
        "I am sorry, I find it hard to talk about this.",
        "I was alone the whole weekend, and nobody came.",
    ),
    "happiness": (
        "Oh, that is wonderful! Thank you so much!",
        "Brilliant! I did not expect that it would be so easy!",
        "You have really made my day!",
        "That is great news! My daughter will be so happy!",
        "Fantastic! It works again, I can see the light!",
        "You are a star! I will tell all my friends!",
        "Oh lovely! Then it arrives just in time for the party!",
        "Perfect! That is even better than I had hoped!",
        "Really? A discount as well? How nice of you!",
    ),
}

TOPIC_LINES: dict[str, dict[str, tuple[str, ...]]] = {
    "billing": {
        "neutral": ("The invoice number ends with eight five two.",),
        "calm": ("Then the next bill will be lower, I understand.",),
        "anger": (
            "You have taken two hundred pounds that are not yours!",
            "Every single bill from you is wrong! Every single one!",
            "I want my money back, and I want it now!",
            "I am not paying one more penny until this is corrected!",
        ),
        "sadness": ("I simply do not have that much money left this month.",),
        "happiness": ("So I get forty pounds back? That is marvellous!",),
    },
    "cancellation": {
        "neutral": ("The contract started two years ago in autumn.",),
        "calm": ("Then the contract ends in June, that suits me.",),
        "anger": (
            "I have cancelled this three times in writing!",
            "You cannot just extend my contract without asking me!",
            "How dare you charge me after I have left!",
        ),
        "sadness": ("She passed away in February, and the letters keep coming.",),
        "happiness": ("Well, with that offer I will gladly stay with you!",),
    },
    "delivery": {
        "neutral": ("I ordered it on the internet, with express delivery.",),
        "calm": ("Between ten and twelve, yes, somebody will be at home.",),
        "anger": (
            "I took a day off work for this, and nobody came!",
            "You have sent me the wrong thing twice now!",
            "Where is my parcel? It is a simple question!",
        ),
        "sadness": ("It was meant as a present for his birthday, and now it is too late.",),
        "happiness": ("It is already on its way? Oh, how exciting!",),
    },
    "technical": {
        "neutral": ("It is the white box next to the window.",),
        "calm": ("I have switched it off and on again, as you said.",),
        "anger": (
            "I have switched it off and on a hundred times!",
            "Your technician has made it worse, not better!",
            "I work from home, I cannot go without internet for a week!",
        ),
        "sadness": ("Without the telephone I cannot even call my sister.",),
        "happiness": ("It is so fast now! I can hardly believe it!",),
    },
}

CUSTOMER_CLOSINGS: dict[str, tuple[str, ...]] = {
    "neutral": ("Right. Then I will wait for the letter. Goodbye.", "All right, thank you. Bye."),
    "calm": ("Thank you very much for your help. Goodbye.", "Good, that was all. Thanks. Goodbye."),
    "anger": (
        "That was the last time! I am done with your company!",
        "I will complain about this in writing! You can be sure of that!",
        "Unbelievable! This is no way to treat your customers!",
    ),
    "sadness": (
        "Well, there is nothing to be done, I suppose. Goodbye.",
        "Thank you anyway. I will try to manage somehow.",
    ),
    "happiness": (
        "Thank you so much! Have a wonderful day!",
        "Splendid! You have been so kind! Goodbye!",
    ),
}


class Deck:
    """Lines drawn without repeating one before all of its kind were used."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._left: dict[tuple[str, ...], list[str]] = {}

    def draw(self, lines: tuple[str, ...]) -> str:
        """The next of these lines."""
        left = self._left.setdefault(lines, [])
        if not left:
            left += [lines[i] for i in self._rng.permutation(len(lines))]
        return left.pop()


def agent_line(deck: Deck, part: Part, mood: Mood) -> str:
    """What an agent says in a part of the call to a customer in a mood."""
    answer = AGENT_ANSWERS.get(mood.emotion, AGENT_ANSWERS["neutral"])
    lines: dict[Part, tuple[str, ...]] = {
        "opening": AGENT_GREETINGS,
        "middle": answer,
        "hold": AGENT_HOLDS,
        "back": AGENT_RETURNS,
        "closing": AGENT_CLOSINGS,
    }
    return deck.draw(lines[part])


def customer_line(deck: Deck, part: Part, mood: Mood, *, topic: str) -> str:
    """What a customer with a topic says in a part of the call and a mood."""
    if part == "opening":
        return deck.draw(PROBLEMS[topic])
    if part == "closing":
        return deck.draw(CUSTOMER_CLOSINGS[mood.emotion])
    return deck.draw(MOOD_LINES[mood.emotion] + TOPIC_LINES[topic][mood.emotion])
