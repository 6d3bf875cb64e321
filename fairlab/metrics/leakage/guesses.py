"""What an attacker guessed right: the share, its interval and p-value, and the published figure."""

from dataclasses import dataclass

import numpy as np
import scipy

from fairlab.core.estimate import Estimate, Unit


@dataclass(frozen=True)
class Leakage:
    """What an attacker guessed right, or by how much one attacker is better than another."""

    #: (rounds, n) for each round's balanced test images, 1 where the guess was right and 0 where not; of a
    #: difference, -1 to 1.
    correct: np.ndarray
    rows: np.ndarray  #: (rounds, n) which images of the evaluation set these were
    is_difference: bool = False
    note: str = ""  #: what must be known of how the images were split

    def __repr__(self) -> str:
        return f"Leakage({self.estimate:#}, {len(self.correct)} rounds, {self.n} test images)"

    @property
    def estimate(self) -> Estimate:
        """Value with its interval and p-value; see there."""
        one = Estimate(self.value, *self.interval, n=self.n, unit=Unit(digits=3), note=self.note)
        return one._replace(p_value=self.p_value)

    @property
    def rounds(self) -> np.ndarray:
        """Each round's share of right guesses, (rounds,); of a difference, how much they differ."""
        return np.asarray(self.correct.mean(axis=1))

    @property
    def value(self) -> float:
        """Mean over rounds, 0 to 1, of which 0.5 is chance; of a difference, -1 to 1."""
        return float(self.rounds.mean())

    @property
    def published(self) -> float:
        """The published figure: the mean of ``0.5 + |a - 0.5|`` over the rounds' accuracies a.

        NaN of a difference. It turns what is right less often than by guessing round, so chance alone puts it
        above 0.5.
        """
        return float("nan") if self.is_difference else float((0.5 + np.abs(self.rounds - 0.5)).mean())

    @property
    def std(self) -> float:
        """Standard deviation over rounds (n - 1); NaN for a single round."""
        return float(self.rounds.std(ddof=1)) if len(self.rounds) > 1 else float("nan")

    @property
    def n(self) -> int:
        """Number of test images in a round."""
        return self.correct.shape[1]

    @property
    def p_value(self) -> float:
        """Of "an attacker is right no more often than by guessing"; of a difference, two-sided, of none."""
        error, freedom = self._error
        if error == 0:
            return 1.0
        if self.is_difference:
            return float(2 * scipy.stats.t.sf(abs(self.value) / error, freedom))
        return float(scipy.stats.t.sf((self.value - 0.5) / error, freedom))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval.

        A t-interval whose variance adds that between the rounds, divided by their number, and that of
        drawing the test images, which more rounds on the same images do not lower. Both hold some of the
        same chance, so it is rather too wide than too narrow. Two right and two wrong guesses are added for
        the second variance, after Agresti and Coull, lest all right look certain. Degrees of freedom by Welch
        and Satterthwaite. It is about this training set: how another would come out is not in it.
        """
        error, freedom = self._error
        half = float(error * scipy.stats.t.ppf(0.975, freedom)) if error > 0 else 0.0
        least = -1.0 if self.is_difference else 0.0
        return max(least, self.value - half), min(1.0, self.value + half)

    @property
    def _error(self) -> tuple[float, float]:
        """Standard error and degrees of freedom."""
        means = self.rounds
        count = len(means)
        between = means.var(ddof=1) / count if count > 1 else 0.0
        sampling = self._sampling_variance(means)
        total = between + sampling
        if total == 0:
            return 0.0, 1.0
        return float(np.sqrt(total)), total**2 / (between**2 / max(count - 1, 1) + sampling**2 / (self.n - 1))

    def _sampling_variance(self, means: np.ndarray) -> float:
        """Return the variance of the mean of `means`, (rounds,), due to which images were drawn to test."""
        if self.is_difference:
            variance = float(self.correct.var(axis=1, ddof=1).mean())
        else:
            p = (self.n * means + 2) / (self.n + 4)
            variance = float((p * (1 - p)).mean()) * self.n / (self.n + 4)
        times = np.unique(self.rows, return_counts=True)[1]  # how often each image was tested, (images,)
        return variance * float(np.sum((times / self.rows.size) ** 2))
