-- question: which files are rejected, and which have a warning?
select audio_root, path, severity, code, message, remedy, noticed_at
from quarantine
order by severity, noticed_at desc, path, audio_root
