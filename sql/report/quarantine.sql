-- question: which files were left out or need a look?
select audio_root, path, severity, code, message, remedy, noticed_at
from quarantine
order by severity, noticed_at desc, path, audio_root
