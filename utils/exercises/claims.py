"""The claims on trial, and the verdict that a cell reaches on one of them."""

from __future__ import annotations

from utils.exercises.display import Notice

CLAIMS: dict[str, str] = {
    "C1": "Mixed models have fixed and random effects, and they fit nested data.",
    "C2": "Fixed effects are constant across groups; random effects vary across groups.",
    "C3": "Hospital is a random effect, since its patients are alike; the medication is fixed.",
    "C4": (
        "Mixed models account for the correlation within a cluster; ignore it, and standard "
        "errors are too small."
    ),
    "C5": (
        "Mixed models serve experiments and observational studies, controlling for other factors."
    ),
    "C6": "Mixed models assume normal errors with constant variance.",
    "C7": "Mixed models are hard to estimate when samples are small or predictors are many.",
    "C8": "Bayesian models use Bayesian statistics to estimate the parameters.",
    "C9": "Bayesian models do not require the normality assumption.",
    "C10": "Bayesian models can use prior knowledge.",
    "C11": "Bayesian models handle missing data by imputing it.",
    "C12": "Imputation gives more accurate estimates and more robust conclusions.",
    "C13": "Bayesian models incorporate complex hierarchical structures.",
    "C14": "Complex priors capture complex relations between fixed and random effects.",
}


def verdict(claim: str, ruling: str, sentence: str) -> Notice:
    """Show the verdict on a claim; its plain text is `C4 · ruling · sentence`.

    Parameters
    ----------
    claim : str
        Id of the claim, "C1" to "C14".
    ruling : str
        A few words, such as "holds" or "half true", reached from the cell's numbers.
    sentence : str
        What the cell found, with its numbers.

    Returns
    -------
    Notice
        Displayable; the box quotes the claim.

    Raises
    ------
    ValueError
        If the claim is unknown, or ruling or sentence is empty.

    Examples
    --------
    >>> verdict("C4", "half true", "The naive analysis rejected 26 in 100 true hypotheses.")
    C4 · half true · The naive analysis rejected 26 in 100 true hypotheses.
    """
    if not isinstance(claim, str) or claim not in CLAIMS:
        raise ValueError(f"claim must be one of {', '.join(CLAIMS)}; got {claim!r}")
    for name, text in (("ruling", ruling), ("sentence", sentence)):
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must be a non-empty text; got {text!r}")
    return Notice(
        (claim, ruling), sentence[0].upper() + sentence[1:], tone="say", quote=CLAIMS[claim]
    )
