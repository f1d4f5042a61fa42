/** The phone's camera reads codes where the browser can; a scanner that types, or a thumb, always can. */
const FORMATS = ["qr_code", "code_128", "ean_13"];
const canScan = async () => {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return false;
  const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
  return known.includes("qr_code");
};

/** The first code that the camera sees; undefined where it was stopped. Raises where there is no camera, or no longer. */
const scan = async (video, stopped) => {
  const known = await BarcodeDetector.getSupportedFormats();
  const detector = new BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    video.play().catch(() => {});
    while (!stopped()) {
      if (stream.getTracks().some((track) => track.readyState === "ended")) throw new Error("the camera was taken away");
      const [found] = video.readyState < 2 ? [] : await detector.detect(video).catch(() => []);
      if (found) return found.rawValue;
      await new Promise((done) => { setTimeout(done, 150); });
    }
    return undefined;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
};
