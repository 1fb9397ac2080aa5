"""Configuration of the lab PBX that is the same in every run; each file is one subject of Asterisk's."""

ASTERISK = """\
[directories]
astetcdir => /etc/asterisk
astvarlibdir => /var/lib/asterisk
astdbdir => /var/lib/asterisk
astkeydir => /var/lib/asterisk
astdatadir => /usr/share/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => /var/spool/asterisk
astrundir => /run/asterisk
astlogdir => /var/log/asterisk
[options]
verbose = 3
timestamp = yes
maxload = 0
documentation_language = en_US
"""

FEATURES = """\
[general]
transferdigittimeout = 3
featuredigittimeout = 1500
pickupexten = *8
[featuremap]
blindxfer => #1
atxfer => *2
disconnect => *0
"""

PARKING = """\
[general]
[default]
parkext => 700
parkpos => 701-710
context => parkedcalls
parkingtime => 30
findslot => next
comebacktoorigin = yes
"""

VOICEMAIL = """\
[general]
format = wav
minsecs = 1
maxsilence = 0
maxsecs = 20
attach = no
[default]
"""

INDICATIONS = """\
[general]
country = ru
[ru]
description = Russia
ringcadence = 1000,4000
dial = 425
busy = 425/350,0/350
ring = 425/1000,0/4000
congestion = 425/175,0/175
"""

CDR = """\
[general]
enable = yes
unanswered = yes
[csv]
usegmtime = yes
loguniqueid = yes
loguserfield = yes
newcdrcolumns = yes
"""

CEL = """\
[general]
enable = yes
apps = dial,queue,park,voicemail
events = ALL
[manager]
enabled = yes
"""

CEL_COLUMNS = ",".join(
    f"${{CSV_QUOTE({name})}}"
    for name in (
        "${eventtype}", "${eventtime}", "${CALLERID(name)}", "${CALLERID(num)}", "${CALLERID(ANI)}",
        "${CALLERID(RDNIS)}", "${CALLERID(DNID)}", "${CHANNEL(exten)}", "${CHANNEL(context)}",
        "${CHANNEL(channame)}", "${CHANNEL(appname)}", "${CHANNEL(appdata)}", "${CHANNEL(amaflags)}",
        "${CHANNEL(accountcode)}", "${CHANNEL(uniqueid)}", "${CHANNEL(linkedid)}", "${BRIDGEPEER}",
        "${CHANNEL(userfield)}", "${userdeftype}", "${eventextra}",
    )
)  # fmt: skip
"""The line of Asterisk's own sample of cel_custom.conf."""

MODULES = """
res_timing_timerfd res_pjproject res_sorcery_config res_sorcery_memory res_sorcery_astdb res_rtp_asterisk
res_speech res_cdrel_custom
res_musiconhold res_parking res_agi res_manager_devicestate res_stasis res_smdi
res_pjsip res_pjsip_acl res_pjsip_caller_id res_pjsip_diversion res_pjsip_dtmf_info res_pjsip_session
res_pjsip_sdp_rtp res_pjsip_nat res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs res_pjsip_logger
res_pjsip_pubsub res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user
chan_pjsip bridge_simple bridge_native_rtp bridge_softmix bridge_holding bridge_builtin_features
bridge_builtin_interval_features codec_ulaw codec_alaw codec_a_mu codec_resample format_wav format_pcm
format_sln pbx_config app_dial app_queue app_voicemail app_mixmonitor app_playback app_read app_stack
app_verbose app_exec app_bridgewait app_directed_pickup app_chanspy app_originate app_userevent app_echo
app_softhangup app_transfer app_cdr app_waituntil func_callerid func_channel func_strings func_logic
func_cdr func_global func_timeout func_db func_dialgroup func_hangupcause func_pjsip_endpoint func_uri
func_devstate func_config
cdr_csv cdr_manager cel_custom cel_manager
"""
