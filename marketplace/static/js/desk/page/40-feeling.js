/** Right and wrong can be heard and felt: nobody looks at the screen with a box in their hands. */
let sound;
const tone = (hertz, seconds) => {
  sound ??= new AudioContext();
  const voice = sound.createOscillator();
  const loudness = sound.createGain();
  loudness.gain.value = 0.15;
  voice.frequency.value = hertz;
  voice.connect(loudness).connect(sound.destination);
  voice.start();
  voice.stop(sound.currentTime + seconds);
};
const feel = (isRight) => {
  try {
    tone(isRight ? 880 : 220, isRight ? 0.12 : 0.4);
    navigator.vibrate?.(isRight ? 80 : [200, 80, 200]);
  } catch { /* a phone that is silent is silent */ }
};
