"""Made speech in six languages, many voices and moods, as material that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import soxr

from ser_batch.arrays import FloatArray
from ser_batch.lab.distill.material import RATE_HZ
from ser_batch.lab.synthetic.scripts import AGENT_ANSWERS
from ser_batch.lab.synthetic.voices import MANNERS, Accent, Voice, speak

ENGLISH = tuple(line for lines in AGENT_ANSWERS.values() for line in lines)

LINES: dict[Accent, tuple[str, ...]] = {
    "en-GB": ENGLISH,
    "en-US": ENGLISH,
    "de-DE": (
        "Guten Tag, ich rufe wegen meiner letzten Rechnung an.",
        "Das kann doch nicht wahr sein, ich warte seit drei Wochen!",
        "Könnten Sie mir bitte sagen, wann der Techniker kommt?",
        "Nein, das habe ich Ihrem Kollegen schon zweimal erklärt.",
        "Vielen Dank, das ist sehr freundlich von Ihnen.",
        "Ich weiß wirklich nicht mehr, was ich noch machen soll.",
        "Meine Kundennummer ist vier, sieben, neun, zwei, eins.",
        "Das Paket ist gestern angekommen, aber es war leer.",
        "Wunderbar, dann sehen wir uns am Donnerstag um halb neun.",
        "Ich möchte den Vertrag zum Ende des Monats kündigen.",
    ),
    "es-ES": (
        "Buenos días, llamo por la factura del mes pasado.",
        "¡Esto es increíble, llevo tres semanas esperando!",
        "¿Podría decirme cuándo va a venir el técnico?",
        "No, ya se lo he explicado dos veces a su compañero.",
        "Muchas gracias, es usted muy amable.",
        "De verdad, ya no sé qué más puedo hacer.",
        "Mi número de cliente es cuatro, siete, nueve, dos, uno.",
        "El paquete llegó ayer, pero estaba vacío.",
        "Perfecto, entonces nos vemos el jueves a las ocho y media.",
        "Quiero cancelar el contrato a finales de mes.",
    ),
    "fr-FR": (
        "Bonjour, je vous appelle au sujet de ma dernière facture.",
        "Ce n'est pas possible, j'attends depuis trois semaines!",
        "Pourriez-vous me dire quand le technicien va passer?",
        "Non, je l'ai déjà expliqué deux fois à votre collègue.",
        "Merci beaucoup, c'est très gentil de votre part.",
        "Je ne sais vraiment plus quoi faire.",
        "Mon numéro de client est le quatre, sept, neuf, deux, un.",
        "Le colis est arrivé hier, mais il était vide.",
        "Parfait, alors on se voit jeudi à huit heures et demie.",
        "Je voudrais résilier le contrat à la fin du mois.",
    ),
    "it-IT": (
        "Buongiorno, chiamo per la mia ultima bolletta.",
        "Non è possibile, aspetto da tre settimane!",
        "Potrebbe dirmi quando arriva il tecnico?",
        "No, l'ho già spiegato due volte al suo collega.",
        "Grazie mille, è molto gentile.",
        "Davvero non so più che cosa fare.",
        "Il mio numero cliente è quattro, sette, nove, due, uno.",
        "Il pacco è arrivato ieri, ma era vuoto.",
        "Perfetto, allora ci vediamo giovedì alle otto e mezza.",
        "Vorrei disdire il contratto alla fine del mese.",
    ),
}
"""What is said, by the engine's voice."""

TITLE, LICENCE = "made speech (py-nanotts, SVOX Pico)", "Apache-2.0"
"""What a card says of it."""


def made_speech(minutes: float, seed: int) -> Iterator[tuple[str, FloatArray]]:
    """Sentences of ever new voices, until there are so many minutes.

    Args:
        minutes: of speech
        seed: of voices, moods and the order of sentences

    Yields:
        name of the voice, and samples at `RATE_HZ`

    Raises:
        DependencyError: if the speech engine is not installed
    """
    rng = np.random.default_rng(seed)
    accents, moods = list(LINES), list(MANNERS)
    left_s = 60 * minutes
    number = 0
    while left_s > 0:
        accent = accents[number % len(accents)]
        tract = float(rng.uniform(0.84, 1.18))
        pitch = float(rng.uniform(0.55, 1.1) if tract < 1 else rng.uniform(0.85, 1.5))
        voice = Voice(accent, pitch=pitch, tract=tract, speed=float(rng.uniform(0.85, 1.25)))
        for line in rng.choice(LINES[accent], 3, replace=False):
            mood, strength = moods[int(rng.integers(len(moods)))], float(rng.uniform(0.3, 1))
            said = speak(str(line), voice, emotion=mood, intensity=strength, rng=rng)
            samples = soxr.resample(said.samples, said.rate_hz, RATE_HZ)
            left_s -= len(samples) / RATE_HZ
            yield f"{accent} {number}", samples
        number += 1
