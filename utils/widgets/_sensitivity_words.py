"""The words of the sensitivity explorer: what is seen now, and how far it can be relied on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from utils.widgets._sensitivity_compute import Answer, Choice, Sensitivity
from utils.widgets._sensitivity_priors import FAMILIES

__all__ = ["Labels", "Words"]


@dataclass(frozen=True)
class Labels:
    """Names of things, in the figure and in sentences.

    Attributes
    ----------
    effect : str
        What the conclusion is about, without its unit.
    unit : str
        Of the outcome; may be empty.
    rate : bool
        Whether the effect is a rate.
    own_known : bool
        Whether the hospitals' own means are known.
    sigma_known : bool
        Whether the prior of sigma is known, so that it can be named and exchanged.
    """

    effect: str
    unit: str
    rate: bool
    own_known: bool = True
    sigma_known: bool = True

    def with_unit(self, text: str, *, tau: bool = False) -> str:
        """Return a label with its unit in brackets."""
        unit = "logit" if self.rate and tau else self.unit
        return f"{text} ({unit})" if unit else text


@dataclass(frozen=True)
class Words:
    """Turns a result into sentences.

    Parameters
    ----------
    labels : Labels
    seed : int
        Of the random choice of hospitals.
    log : bool
        Whether the outcome is a logarithm, so that effects are factors too.
    """

    labels: Labels
    seed: int = 1
    log: bool = False

    def describe(self, result: Sensitivity) -> str:
        """Return what the figure shows now."""
        answer = result.answer
        parts = [
            f"{self._hospitals(result)}, {self.choice(answer.choice)}.{self._drawn(result)}",
            f"{self._tau(answer)} {self._effect(answer, result)}",
            self._spread(answer),
            self._verdict(result),
        ]
        if answer.trust is not None:
            parts.insert(0, answer.trust.sentence)
        if result.pinned is not None:
            parts.append(self._pinned(result))
        elif result.pin_refused:
            parts.append(f"The pinned prior has no posterior here: {result.pin_refused}.")
        return "\n".join(parts)

    def _hospitals(self, result: Sensitivity) -> str:
        if result.answer.trust is not None:
            return "Draws, reweighted"
        if result.n_hospitals == result.of:
            return f"All {result.of} hospitals"
        if result.kept == "first":
            return f"The first {result.n_hospitals} of {result.of} hospitals"
        return f"{result.n_hospitals} of {result.of} hospitals, drawn with seed {self.seed}"

    def _drawn(self, result: Sensitivity) -> str:
        drawn = len(result.answer.hospitals)
        return "" if drawn in (0, result.n_hospitals) else f" The figure draws {drawn} of them."

    def choice(self, choice: Choice) -> str:
        """Return a choice of priors in words."""
        unit = " logits" if self.labels.rate else self._unit()
        if choice.family == "yours":
            tau = "your own prior of τ"
        elif choice.family == "flat":
            tau = "a flat prior of τ"
        else:
            kind = FAMILIES[choice.family]
            number = f"{choice.scale:.3g}{'' if choice.family == 'inverse-gamma' else unit}"
            tau = f"{kind.name} prior of τ, {kind.scale} {number}"
        what = "mean logit" if self.labels.rate else "effect"
        flat = math.isinf(choice.effect_sd)
        effect = f"flat on the {what}" if flat else f"N(0, {choice.effect_sd:.3g}²) on the {what}"
        if self.labels.rate or not self.labels.sigma_known:
            return f"{tau}; {effect}"
        sigma = (
            "flat on σ"
            if math.isinf(choice.sigma_scale)
            else f"half-normal on σ, scale {choice.sigma_scale:.3g}{unit}"
        )
        return f"{tau}; {effect}; {sigma}"

    def _unit(self) -> str:
        return f" {self.labels.unit}" if self.labels.unit else ""

    def value(self, number: float) -> str:
        """Return an effect with its digits."""
        if self.labels.rate:
            return f"{100 * number:.1f} %"
        return number_text(number)

    def _range(self, low: float, high: float) -> str:
        return f"{self.value(low)} to {self.value(high)}"

    def _tau(self, answer: Answer) -> str:
        low, middle, high = (number_text(v) for v in answer.tau)
        unit = " logits" if self.labels.rate else self._unit()
        return f"τ: {middle}{unit} (95 % interval {low} to {high})."

    def _effect(self, answer: Answer, result: Sensitivity) -> str:
        low, middle, high = answer.effect
        what = self.labels.effect[0].upper() + self.labels.effect[1:]
        unit = "" if self.labels.rate else self._unit()
        text = f"{what}: {self.value(middle)}{unit} (95 % interval {self._range(low, high)})"
        if self.log:
            text += f", a factor of {math.exp(middle):.3g}"
        side = "above" if result.above else "below"
        chance = f"P({side} {self.value(result.threshold)}) {probability(answer.beyond)}"
        if not self.labels.rate:
            chance = f"P(below 0) {probability(answer.negative)}, {chance}"
        return f"{text}; {chance}."

    def _spread(self, answer: Answer) -> str:
        if self.labels.rate:

            def odds(h: float) -> str:
                return f"{math.exp(h):.3g}" if h < 20 else "more than 10^8"

            before = (
                "the prior says nothing of a new hospital"
                if math.isinf(answer.new_prior)
                else f"the prior puts its odds within a factor of {odds(answer.new_prior)}"
            )
            after = f"the posterior within {odds(answer.new_posterior)}"
            return f"A new hospital, against the typical one: {before}; {after} (95 %)."
        unit = self._unit()
        before = (
            "the prior says nothing of it"
            if math.isinf(answer.new_prior)
            else f"the prior puts its mean within ±{number_text(answer.new_prior)}{unit}"
        )
        after = f"the posterior within ±{number_text(answer.new_posterior)}{unit}"
        return f"A new hospital, against the average: {before}, {after} (95 %)."

    def _verdict(self, result: Sensitivity) -> str:
        found, choice = result.verdict, result.answer.choice
        if result.answer.trust is not None and not result.answer.trust.ok:
            return "So there is no verdict."
        if found is None:
            return "This prior has no scale to vary."
        unit = " logits" if self.labels.rate else self._unit()
        unit = "" if choice.family == "inverse-gamma" else unit
        same = found.criterion
        rule = (
            ("" if self.labels.rate else "the interval says the same about 0, ")
            + f"the estimate moves by at most {same.shift:g} posterior SD, the interval's width by "
            f"at most a factor of {same.width:g} and P(beyond) by at most {same.probability:.2f}"
        )
        name = FAMILIES[choice.family].scale
        if found.low >= found.high:
            changes = found.below or found.above
            return (
                f"Verdict: the conclusion hangs on this prior. At the next {name} looked at, "
                f"{changes}. It would be the same if {rule}."
            )
        ends = f"{found.low:.3g} and {found.high:.3g}{unit}"
        whole = ", as far as looked" if found.whole else ""
        text = (
            f"Verdict: the conclusion does not depend on this prior with its {name} between {ends}"
            f"{whole}: {rule}."
        )
        if found.below:
            text += f" Below {found.low:.3g}, {found.below}."
        if found.above:
            text += f" Above {found.high:.3g}, {found.above}."
        return text

    def _pinned(self, result: Sensitivity) -> str:
        pinned = result.pinned
        low, middle, high = pinned.effect
        moved = result.answer.effect[1] - middle
        unit = " percentage points" if self.labels.rate else self._unit()
        size = 100 * moved if self.labels.rate else moved
        if pinned.trust is not None and not pinned.trust.ok:
            return f"Pinned: {self.choice(pinned.choice)}; its numbers cannot be trusted."
        return (
            f"Pinned: {self.choice(pinned.choice)}. With it τ is {number_text(pinned.tau[1])} and "
            f"the {self.labels.effect} {self.value(middle)} ({self._range(low, high)}); the "
            f"present choice moves that by {size:+.2g}{unit}."
        )


def number_text(value: float) -> str:
    """Return a number with three digits, without an exponent where that is readable."""
    if value == 0 or 0.001 <= abs(value) < 9999.5:
        text = f"{value:.3g}"
        return f"{value:.0f}" if "e" in text else text
    return f"{value:.1e}"


def probability(value: float) -> str:
    """Return "= 0.960", or "> 0.999": a probability that never claims certainty."""
    if value > 0.999:
        return "> 0.999"
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
