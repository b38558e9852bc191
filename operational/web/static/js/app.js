/* Entry of our own modules. Pages work without them; they add comfort and the safety of drafts. */
import { installDates } from "./dates.js";
import { installDialogs } from "./dialogs.js";
import { installDrafts } from "./drafts.js";
import { installKeyboard } from "./keyboard.js";
import { installPickers } from "./picker.js";
import { installToasts } from "./toasts.js";

installToasts();
installDialogs();
installKeyboard();
installDates();
installPickers();
installDrafts();
