/*
 * numeric: every numeric reply that a document or a server's own list names.
 *
 * A row is number, name, and the document or server that gives the number this name. Sorted by
 * number. Where documents differ a number has several rows, the first with the name that most
 * servers of today mean; and a name may stand at several numbers (rpl_bounce).
 */
#ifndef EBB_IRC_NUMERIC_H
#define EBB_IRC_NUMERIC_H

/* number, name, source */
#define NUMERIC_TABLE(X)                                \
	X(1, rpl_welcome, "RFC 2812")                   \
	X(2, rpl_yourhost, "RFC 2812")                  \
	X(3, rpl_created, "RFC 2812")                   \
	X(4, rpl_myinfo, "RFC 2812")                    \
	X(5, rpl_isupport, "modern IRC")                \
	X(5, rpl_bounce, "RFC 2812")                    \
	X(5, rpl_protoctl, "UnrealIRCd")                \
	X(6, rpl_map, "UnrealIRCd")                     \
	X(7, rpl_mapend, "UnrealIRCd")                  \
	X(8, rpl_snomask, "ircu")                       \
	X(8, rpl_snomaskis, "InspIRCd")                 \
	X(9, rpl_statmemtot, "ircu")                    \
	X(10, rpl_bounce, "modern IRC")                 \
	X(10, rpl_redir, "hybrid")                      \
	X(14, rpl_yourcookie, "hybrid")                 \
	X(15, rpl_map, "ircu")                          \
	X(16, rpl_mapmore, "ircu")                      \
	X(17, rpl_mapend, "ircu")                       \
	X(17, rpl_endmap, "InspIRCd")                   \
	X(18, rpl_mapusers, "InspIRCd")                 \
	X(20, rpl_hello, "irc2")                        \
	X(42, rpl_yourid, "irc2")                       \
	X(43, rpl_savenick, "irc2")                     \
	X(50, rpl_attemptingjunc, "aircd")              \
	X(51, rpl_attemptingreroute, "aircd")           \
	X(105, rpl_remoteisupport, "UnrealIRCd")        \
	X(105, rpl_remoteprotoctl, "UnrealIRCd")        \
	X(200, rpl_tracelink, "RFC 1459")               \
	X(201, rpl_traceconnecting, "RFC 1459")         \
	X(202, rpl_tracehandshake, "RFC 1459")          \
	X(203, rpl_traceunknown, "RFC 1459")            \
	X(204, rpl_traceoperator, "RFC 1459")           \
	X(205, rpl_traceuser, "RFC 1459")               \
	X(206, rpl_traceserver, "RFC 1459")             \
	X(207, rpl_traceservice, "RFC 2812")            \
	X(208, rpl_tracenewtype, "RFC 1459")            \
	X(209, rpl_traceclass, "RFC 2812")              \
	X(210, rpl_tracereconnect, "RFC 2812")          \
	X(210, rpl_stats, "InspIRCd")                   \
	X(210, rpl_statshelp, "UnrealIRCd")             \
	X(211, rpl_statslinkinfo, "RFC 1459")           \
	X(212, rpl_statscommands, "RFC 1459")           \
	X(213, rpl_statscline, "RFC 1459")              \
	X(214, rpl_statsnline, "RFC 1459")              \
	X(214, rpl_statsoldnline, "UnrealIRCd")         \
	X(215, rpl_statsiline, "RFC 1459")              \
	X(216, rpl_statskline, "RFC 1459")              \
	X(217, rpl_statsqline, "RFC 1459")              \
	X(217, rpl_statspline, "ircu")                  \
	X(218, rpl_statsyline, "RFC 1459")              \
	X(219, rpl_endofstats, "RFC 1459")              \
	X(220, rpl_statspline, "hybrid")                \
	X(220, rpl_statsbline, "UnrealIRCd")            \
	X(221, rpl_umodeis, "RFC 1459")                 \
	X(222, rpl_statsjline, "ircu")                  \
	X(222, rpl_sqline_nick, "UnrealIRCd")           \
	X(223, rpl_statsgline, "UnrealIRCd")            \
	X(223, rpl_statseline, "bahamut")               \
	X(224, rpl_statsfline, "hybrid")                \
	X(224, rpl_statstline, "UnrealIRCd")            \
	X(225, rpl_statsdline, "hybrid")                \
	X(225, rpl_statseline, "UnrealIRCd")            \
	X(226, rpl_statsnline, "UnrealIRCd")            \
	X(226, rpl_statsaline, "ircu")                  \
	X(227, rpl_statsvline, "UnrealIRCd")            \
	X(228, rpl_statsbanver, "UnrealIRCd")           \
	X(228, rpl_statsqline, "ircu")                  \
	X(229, rpl_statsspamf, "UnrealIRCd")            \
	X(230, rpl_statsexcepttkl, "UnrealIRCd")        \
	X(231, rpl_serviceinfo, "RFC 1459")             \
	X(232, rpl_endofservices, "RFC 1459")           \
	X(232, rpl_rules, "UnrealIRCd")                 \
	X(233, rpl_service, "RFC 1459")                 \
	X(234, rpl_servlist, "RFC 2812")                \
	X(235, rpl_servlistend, "RFC 2812")             \
	X(236, rpl_statsverbose, "ircu")                \
	X(237, rpl_statsengine, "ircu")                 \
	X(238, rpl_statsfline, "ircu")                  \
	X(239, rpl_statsiauth, "irc2")                  \
	X(240, rpl_statsvline, "RFC 2812")              \
	X(241, rpl_statslline, "RFC 1459")              \
	X(242, rpl_statsuptime, "RFC 1459")             \
	X(243, rpl_statsoline, "RFC 1459")              \
	X(244, rpl_statshline, "RFC 1459")              \
	X(245, rpl_statssline, "hybrid")                \
	X(246, rpl_statsping, "RFC 2812")               \
	X(246, rpl_statstline, "ircu")                  \
	X(246, rpl_statsservice, "hybrid")              \
	X(247, rpl_statsbline, "RFC 2812")              \
	X(247, rpl_statsxline, "hybrid")                \
	X(247, rpl_statsgline, "ircu")                  \
	X(248, rpl_statsuline, "ircu")                  \
	X(248, rpl_statsdefine, "irc2")                 \
	X(249, rpl_statsdebug, "hybrid")                \
	X(250, rpl_statsconn, "modern IRC")             \
	X(250, rpl_statsdline, "RFC 2812")              \
	X(251, rpl_luserclient, "RFC 1459")             \
	X(252, rpl_luserop, "RFC 1459")                 \
	X(253, rpl_luserunknown, "RFC 1459")            \
	X(254, rpl_luserchannels, "RFC 1459")           \
	X(255, rpl_luserme, "RFC 1459")                 \
	X(256, rpl_adminme, "RFC 1459")                 \
	X(257, rpl_adminloc1, "RFC 1459")               \
	X(258, rpl_adminloc2, "RFC 1459")               \
	X(259, rpl_adminemail, "RFC 1459")              \
	X(261, rpl_tracelog, "RFC 1459")                \
	X(262, rpl_traceend, "RFC 2812")                \
	X(262, rpl_endoftrace, "hybrid")                \
	X(263, rpl_tryagain, "RFC 2812")                \
	X(263, rpl_load2hi, "hybrid")                   \
	X(265, rpl_localusers, "modern IRC")            \
	X(265, rpl_current_local, "aircd")              \
	X(266, rpl_globalusers, "modern IRC")           \
	X(266, rpl_current_global, "aircd")             \
	X(266, rpl_netusers, "ngIRCd")                  \
	X(267, rpl_start_netstat, "aircd")              \
	X(268, rpl_netstat, "aircd")                    \
	X(269, rpl_end_netstat, "aircd")                \
	X(270, rpl_privs, "ircu")                       \
	X(271, rpl_silelist, "ircu")                    \
	X(272, rpl_endofsilelist, "ircu")               \
	X(273, rpl_notify, "aircd")                     \
	X(274, rpl_endnotify, "aircd")                  \
	X(275, rpl_statsdline, "ircu")                  \
	X(275, rpl_usingssl, "bahamut")                 \
	X(276, rpl_whoiscertfp, "modern IRC")           \
	X(276, rpl_statsrline, "ircu")                  \
	X(280, rpl_glist, "ircu")                       \
	X(281, rpl_endofglist, "ircu")                  \
	X(281, rpl_acceptlist, "hybrid")                \
	X(282, rpl_endofaccept, "hybrid")               \
	X(282, rpl_jupelist, "ircu")                    \
	X(283, rpl_endofjupelist, "ircu")               \
	X(284, rpl_feature, "ircu")                     \
	X(290, rpl_helphdr, "UnrealIRCd")               \
	X(291, rpl_helpop, "UnrealIRCd")                \
	X(292, rpl_helptlr, "UnrealIRCd")               \
	X(293, rpl_helphlp, "UnrealIRCd")               \
	X(294, rpl_helpfwd, "UnrealIRCd")               \
	X(295, rpl_helpign, "UnrealIRCd")               \
	X(300, rpl_none, "RFC 1459")                    \
	X(301, rpl_away, "RFC 1459")                    \
	X(302, rpl_userhost, "RFC 1459")                \
	X(303, rpl_ison, "RFC 1459")                    \
	X(304, rpl_text, "irc2")                        \
	X(305, rpl_unaway, "RFC 1459")                  \
	X(306, rpl_nowaway, "RFC 1459")                 \
	X(307, rpl_whoisregnick, "modern IRC")          \
	X(308, rpl_rulesstart, "UnrealIRCd")            \
	X(308, rpl_whoisadmin, "bahamut")               \
	X(309, rpl_endofrules, "UnrealIRCd")            \
	X(309, rpl_whoissadmin, "bahamut")              \
	X(310, rpl_whoishelpop, "UnrealIRCd")           \
	X(310, rpl_whoissvcmsg, "bahamut")              \
	X(310, rpl_whoismodes, "hybrid")                \
	X(311, rpl_whoisuser, "RFC 1459")               \
	X(312, rpl_whoisserver, "RFC 1459")             \
	X(313, rpl_whoisoperator, "RFC 1459")           \
	X(314, rpl_whowasuser, "RFC 1459")              \
	X(315, rpl_endofwho, "RFC 1459")                \
	X(316, rpl_whoischanop, "RFC 1459")             \
	X(317, rpl_whoisidle, "RFC 1459")               \
	X(318, rpl_endofwhois, "RFC 1459")              \
	X(319, rpl_whoischannels, "RFC 1459")           \
	X(320, rpl_whoisspecial, "modern IRC")          \
	X(321, rpl_liststart, "RFC 1459")               \
	X(322, rpl_list, "RFC 1459")                    \
	X(323, rpl_listend, "RFC 1459")                 \
	X(324, rpl_channelmodeis, "RFC 1459")           \
	X(325, rpl_uniqopis, "RFC 2812")                \
	X(325, rpl_channelmlock, "solanum")             \
	X(326, rpl_nochanpass, "aircd")                 \
	X(327, rpl_chpassunknown, "aircd")              \
	X(328, rpl_channelurl, "solanum")               \
	X(328, rpl_channel_url, "bahamut")              \
	X(329, rpl_creationtime, "modern IRC")          \
	X(329, rpl_channelcreated, "Ergo")              \
	X(330, rpl_whoisaccount, "modern IRC")          \
	X(330, rpl_whoisloggedin, "solanum")            \
	X(331, rpl_notopic, "RFC 1459")                 \
	X(331, rpl_notopicset, "InspIRCd")              \
	X(332, rpl_topic, "RFC 1459")                   \
	X(333, rpl_topicwhotime, "modern IRC")          \
	X(333, rpl_topictime, "InspIRCd")               \
	X(333, rpl_topicsetby, "ngIRCd")                \
	X(334, rpl_listusage, "ircu")                   \
	X(334, rpl_commandsyntax, "bahamut")            \
	X(334, rpl_listsyntax, "UnrealIRCd")            \
	X(335, rpl_whoisbot, "IRCv3")                   \
	X(336, rpl_invitelist, "modern IRC")            \
	X(337, rpl_endofinvitelist, "modern IRC")       \
	X(338, rpl_whoisactually, "modern IRC")         \
	X(340, rpl_userip, "ircu")                      \
	X(341, rpl_inviting, "RFC 1459")                \
	X(342, rpl_summoning, "RFC 1459")               \
	X(344, rpl_whoiscountry, "InspIRCd")            \
	X(345, rpl_invited, "GameSurge")                \
	X(346, rpl_invitelist, "RFC 2812")              \
	X(346, rpl_invexlist, "modern IRC")             \
	X(347, rpl_endofinvitelist, "RFC 2812")         \
	X(347, rpl_endofinvexlist, "modern IRC")        \
	X(348, rpl_exceptlist, "RFC 2812")              \
	X(348, rpl_exlist, "UnrealIRCd")                \
	X(349, rpl_endofexceptlist, "RFC 2812")         \
	X(349, rpl_endofexlist, "UnrealIRCd")           \
	X(350, rpl_whoisgateway, "InspIRCd")            \
	X(351, rpl_version, "RFC 1459")                 \
	X(352, rpl_whoreply, "RFC 1459")                \
	X(353, rpl_namreply, "RFC 1459")                \
	X(354, rpl_whospcrpl, "ircu")                   \
	X(355, rpl_namreply_, "QuakeNet")               \
	X(355, rpl_delnamreply, "ircu")                 \
	X(360, rpl_whowasreal, "solanum")               \
	X(361, rpl_killdone, "RFC 1459")                \
	X(362, rpl_closing, "RFC 1459")                 \
	X(363, rpl_closeend, "RFC 1459")                \
	X(364, rpl_links, "RFC 1459")                   \
	X(365, rpl_endoflinks, "RFC 1459")              \
	X(366, rpl_endofnames, "RFC 1459")              \
	X(367, rpl_banlist, "RFC 1459")                 \
	X(368, rpl_endofbanlist, "RFC 1459")            \
	X(369, rpl_endofwhowas, "RFC 1459")             \
	X(371, rpl_info, "RFC 1459")                    \
	X(372, rpl_motd, "RFC 1459")                    \
	X(373, rpl_infostart, "RFC 1459")               \
	X(374, rpl_endofinfo, "RFC 1459")               \
	X(375, rpl_motdstart, "RFC 1459")               \
	X(376, rpl_endofmotd, "RFC 1459")               \
	X(377, rpl_spam, "aircd")                       \
	X(378, rpl_whoishost, "modern IRC")             \
	X(379, rpl_whoismodes, "modern IRC")            \
	X(379, rpl_whowasip, "InspIRCd")                \
	X(381, rpl_youreoper, "RFC 1459")               \
	X(381, rpl_youareoper, "InspIRCd")              \
	X(382, rpl_rehashing, "RFC 1459")               \
	X(383, rpl_youreservice, "RFC 2812")            \
	X(384, rpl_myportis, "RFC 1459")                \
	X(385, rpl_notoperanymore, "solanum")           \
	X(386, rpl_rsachallenge, "hybrid")              \
	X(386, rpl_qlist, "UnrealIRCd")                 \
	X(387, rpl_endofqlist, "UnrealIRCd")            \
	X(388, rpl_alist, "UnrealIRCd")                 \
	X(389, rpl_endofalist, "UnrealIRCd")            \
	X(391, rpl_time, "RFC 1459")                    \
	X(392, rpl_usersstart, "RFC 1459")              \
	X(393, rpl_users, "RFC 1459")                   \
	X(394, rpl_endofusers, "RFC 1459")              \
	X(395, rpl_nousers, "RFC 1459")                 \
	X(396, rpl_visiblehost, "modern IRC")           \
	X(396, rpl_hosthidden, "ircu")                  \
	X(396, rpl_yourdisplayedhost, "InspIRCd")       \
	X(399, rpl_clones, "InspIRCd")                  \
	X(400, err_unknownerror, "modern IRC")          \
	X(401, err_nosuchnick, "RFC 1459")              \
	X(402, err_nosuchserver, "RFC 1459")            \
	X(403, err_nosuchchannel, "RFC 1459")           \
	X(404, err_cannotsendtochan, "RFC 1459")        \
	X(405, err_toomanychannels, "RFC 1459")         \
	X(406, err_wasnosuchnick, "RFC 1459")           \
	X(407, err_toomanytargets, "RFC 1459")          \
	X(408, err_nosuchservice, "RFC 2812")           \
	X(408, err_nocolorsonchan, "bahamut")           \
	X(409, err_noorigin, "RFC 1459")                \
	X(410, err_invalidcapcmd, "IRCv3")              \
	X(410, err_invalidcapsubcommand, "InspIRCd")    \
	X(411, err_norecipient, "RFC 1459")             \
	X(412, err_notexttosend, "RFC 1459")            \
	X(413, err_notoplevel, "RFC 1459")              \
	X(414, err_wildtoplevel, "RFC 1459")            \
	X(415, err_badmask, "RFC 2812")                 \
	X(415, err_msgneedreggednick, "solanum")        \
	X(416, err_toomanymatches, "irc2")              \
	X(416, err_querytoolong, "ircu")                \
	X(417, err_inputtoolong, "modern IRC")          \
	X(419, err_lengthtruncated, "aircd")            \
	X(420, err_ambiguouscommand, "InspIRCd")        \
	X(421, err_unknowncommand, "RFC 1459")          \
	X(422, err_nomotd, "RFC 1459")                  \
	X(423, err_noadmininfo, "RFC 1459")             \
	X(424, err_fileerror, "RFC 1459")               \
	X(425, err_noopermotd, "UnrealIRCd")            \
	X(429, err_toomanyaway, "bahamut")              \
	X(431, err_nonicknamegiven, "RFC 1459")         \
	X(432, err_erroneusnickname, "RFC 1459")        \
	X(433, err_nicknameinuse, "RFC 1459")           \
	X(434, err_servicenameinuse, "irc2")            \
	X(434, err_norules, "UnrealIRCd")               \
	X(435, err_banonchan, "bahamut")                \
	X(435, err_bannickchange, "solanum")            \
	X(435, err_serviceconfused, "UnrealIRCd")       \
	X(436, err_nickcollision, "RFC 1459")           \
	X(437, err_unavailresource, "RFC 2812")         \
	X(437, err_bannickchange, "UnrealIRCd")         \
	X(438, err_nicktoofast, "ircu")                 \
	X(438, err_nchangetoofast, "UnrealIRCd")        \
	X(439, err_targettoofast, "ircu")               \
	X(440, err_servicesdown, "bahamut")             \
	X(440, err_reg_unavailable, "Ergo")             \
	X(441, err_usernotinchannel, "RFC 1459")        \
	X(442, err_notonchannel, "RFC 1459")            \
	X(443, err_useronchannel, "RFC 1459")           \
	X(444, err_nologin, "RFC 1459")                 \
	X(445, err_summondisabled, "RFC 1459")          \
	X(446, err_usersdisabled, "RFC 1459")           \
	X(447, err_nonickchange, "UnrealIRCd")          \
	X(447, err_cantchangenick, "InspIRCd")          \
	X(448, err_forbiddenchannel, "UnrealIRCd")      \
	X(449, err_notimplemented, "ircu")              \
	X(451, err_notregistered, "RFC 1459")           \
	X(452, err_idcollision, "irc2")                 \
	X(453, err_nicklost, "irc2")                    \
	X(455, err_hostilename, "UnrealIRCd")           \
	X(456, err_acceptfull, "hybrid")                \
	X(457, err_acceptexist, "hybrid")               \
	X(458, err_acceptnot, "hybrid")                 \
	X(459, err_nohiding, "UnrealIRCd")              \
	X(460, err_notforhalfops, "UnrealIRCd")         \
	X(461, err_needmoreparams, "RFC 1459")          \
	X(462, err_alreadyregistered, "modern IRC")     \
	X(462, err_alreadyregistred, "RFC 1459")        \
	X(463, err_nopermforhost, "RFC 1459")           \
	X(464, err_passwdmismatch, "RFC 1459")          \
	X(465, err_yourebannedcreep, "RFC 1459")        \
	X(466, err_youwillbebanned, "RFC 1459")         \
	X(467, err_keyset, "RFC 1459")                  \
	X(468, err_invalidusername, "ircu")             \
	X(468, err_onlyserverscanchange, "UnrealIRCd")  \
	X(469, err_linkset, "UnrealIRCd")               \
	X(470, err_linkchannel, "UnrealIRCd")           \
	X(471, err_channelisfull, "RFC 1459")           \
	X(472, err_unknownmode, "RFC 1459")             \
	X(473, err_inviteonlychan, "RFC 1459")          \
	X(474, err_bannedfromchan, "RFC 1459")          \
	X(475, err_badchannelkey, "RFC 1459")           \
	X(476, err_badchanmask, "RFC 2812")             \
	X(477, err_needreggednick, "ircu")              \
	X(477, err_nochanmodes, "RFC 2812")             \
	X(478, err_banlistfull, "RFC 2812")             \
	X(479, err_badchanname, "hybrid")               \
	X(479, err_linkfail, "UnrealIRCd")              \
	X(480, err_cannotknock, "UnrealIRCd")           \
	X(480, err_throttle, "solanum")                 \
	X(480, err_sslonlychan, "hybrid")               \
	X(481, err_noprivileges, "RFC 1459")            \
	X(482, err_chanoprivsneeded, "RFC 1459")        \
	X(483, err_cantkillserver, "RFC 1459")          \
	X(484, err_restricted, "RFC 2812")              \
	X(484, err_ischanservice, "ircu")               \
	X(484, err_attackdeny, "UnrealIRCd")            \
	X(484, err_desync, "bahamut")                   \
	X(485, err_uniqopprivsneeded, "RFC 2812")       \
	X(485, err_uniqoprivsneeded, "modern IRC")      \
	X(485, err_killdeny, "UnrealIRCd")              \
	X(485, err_bannednick, "solanum")               \
	X(486, err_nononreg, "UnrealIRCd")              \
	X(486, err_accountonly, "ircu")                 \
	X(487, err_notforusers, "UnrealIRCd")           \
	X(487, err_msgservices, "bahamut")              \
	X(488, err_htmdisabled, "UnrealIRCd")           \
	X(489, err_secureonlychan, "UnrealIRCd")        \
	X(489, err_voiceneeded, "ircu")                 \
	X(490, err_noswear, "UnrealIRCd")               \
	X(490, err_allmustssl, "InspIRCd")              \
	X(491, err_nooperhost, "RFC 1459")              \
	X(492, err_noctcp, "UnrealIRCd")                \
	X(492, err_noservicehost, "RFC 1459")           \
	X(492, err_cannotsendtouser, "solanum")         \
	X(493, err_nofeature, "ircu")                   \
	X(494, err_ownmode, "bahamut")                  \
	X(494, err_badfeatvalue, "ircu")                \
	X(495, err_delayrejoin, "InspIRCd")             \
	X(495, err_badlogtype, "ircu")                  \
	X(496, err_badlogsys, "ircu")                   \
	X(497, err_badlogvalue, "ircu")                 \
	X(498, err_isoperlchan, "ircu")                 \
	X(499, err_chanownprivneeded, "UnrealIRCd")     \
	X(500, err_toomanyjoins, "UnrealIRCd")          \
	X(501, err_umodeunknownflag, "RFC 1459")        \
	X(501, err_unknownsnomask, "InspIRCd")          \
	X(502, err_usersdontmatch, "RFC 1459")          \
	X(503, err_ghostedclient, "hybrid")             \
	X(504, err_usernotonserv, "hybrid")             \
	X(511, err_silelistfull, "ircu")                \
	X(512, err_toomanywatch, "UnrealIRCd")          \
	X(512, err_nosuchgline, "ircu")                 \
	X(513, err_badping, "ircu")                     \
	X(513, err_needpong, "UnrealIRCd")              \
	X(513, err_wrongpong, "hybrid")                 \
	X(514, err_toomanydcc, "bahamut")               \
	X(514, err_nosuchjupe, "ircu")                  \
	X(515, err_badexpire, "ircu")                   \
	X(516, err_dontcheat, "ircu")                   \
	X(517, err_disabled, "ircu")                    \
	X(518, err_noinvite, "UnrealIRCd")              \
	X(518, err_longmask, "ircu")                    \
	X(519, err_admonly, "UnrealIRCd")               \
	X(519, err_toomanyusers, "ircu")                \
	X(520, err_operonly, "UnrealIRCd")              \
	X(520, err_masktoowide, "ircu")                 \
	X(521, err_listsyntax, "UnrealIRCd")            \
	X(522, err_whosyntax, "UnrealIRCd")             \
	X(523, err_wholimexceed, "UnrealIRCd")          \
	X(524, err_helpnotfound, "modern IRC")          \
	X(524, err_operspverify, "UnrealIRCd")          \
	X(525, err_invalidkey, "modern IRC")            \
	X(531, err_cantsendtouser, "UnrealIRCd")        \
	X(550, err_badhostmask, "QuakeNet")             \
	X(551, err_hostunavail, "QuakeNet")             \
	X(552, err_usingsline, "QuakeNet")              \
	X(573, err_cannotsendrp, "Ergo")                \
	X(597, rpl_reaway, "UnrealIRCd")                \
	X(598, rpl_goneaway, "UnrealIRCd")              \
	X(599, rpl_notaway, "UnrealIRCd")               \
	X(600, rpl_logon, "UnrealIRCd")                 \
	X(601, rpl_logoff, "UnrealIRCd")                \
	X(602, rpl_watchoff, "UnrealIRCd")              \
	X(603, rpl_watchstat, "UnrealIRCd")             \
	X(604, rpl_nowon, "UnrealIRCd")                 \
	X(605, rpl_nowoff, "UnrealIRCd")                \
	X(606, rpl_watchlist, "UnrealIRCd")             \
	X(607, rpl_endofwatchlist, "UnrealIRCd")        \
	X(608, rpl_watchclear, "UnrealIRCd")            \
	X(609, rpl_nowisaway, "UnrealIRCd")             \
	X(610, rpl_mapmore, "UnrealIRCd")               \
	X(617, rpl_dccstatus, "bahamut")                \
	X(618, rpl_dcclist, "bahamut")                  \
	X(619, rpl_endofdcclist, "bahamut")             \
	X(620, rpl_dccinfo, "bahamut")                  \
	X(640, rpl_dumping, "UnrealIRCd")               \
	X(641, rpl_dumprpl, "UnrealIRCd")               \
	X(642, rpl_eodump, "UnrealIRCd")                \
	X(650, rpl_syntax, "InspIRCd")                  \
	X(659, rpl_spamcmdfwd, "UnrealIRCd")            \
	X(670, rpl_starttls, "IRCv3")                   \
	X(671, rpl_whoissecure, "modern IRC")           \
	X(687, rpl_yourlanguagesare, "IRCv3")           \
	X(690, rpl_whoislanguage, "IRCv3")              \
	X(691, err_starttls, "IRCv3")                   \
	X(696, err_invalidmodeparam, "modern IRC")      \
	X(697, err_listmodealreadyset, "InspIRCd")      \
	X(698, err_listmodenotset, "InspIRCd")          \
	X(700, rpl_commands, "InspIRCd")                \
	X(701, rpl_commandsend, "InspIRCd")             \
	X(702, rpl_modlist, "hybrid")                   \
	X(703, rpl_endofmodlist, "hybrid")              \
	X(704, rpl_helpstart, "modern IRC")             \
	X(705, rpl_helptxt, "modern IRC")               \
	X(706, rpl_endofhelp, "modern IRC")             \
	X(707, err_targchange, "solanum")               \
	X(708, rpl_etracefull, "hybrid")                \
	X(709, rpl_etrace, "hybrid")                    \
	X(710, rpl_knock, "modern IRC")                 \
	X(711, rpl_knockdlvr, "modern IRC")             \
	X(712, err_toomanyknock, "hybrid")              \
	X(713, err_chanopen, "hybrid")                  \
	X(714, err_knockonchan, "hybrid")               \
	X(715, err_knockdisabled, "solanum")            \
	X(716, rpl_targumodeg, "hybrid")                \
	X(716, err_targumodeg, "solanum")               \
	X(717, rpl_targnotify, "hybrid")                \
	X(718, rpl_umodegmsg, "hybrid")                 \
	X(720, rpl_omotdstart, "solanum")               \
	X(721, rpl_omotd, "solanum")                    \
	X(722, rpl_endofomotd, "solanum")               \
	X(723, err_noprivs, "modern IRC")               \
	X(724, rpl_testmask, "solanum")                 \
	X(725, rpl_testline, "solanum")                 \
	X(726, rpl_notestline, "solanum")               \
	X(727, rpl_testmaskgecos, "solanum")            \
	X(728, rpl_quietlist, "solanum")                \
	X(729, rpl_endofquietlist, "solanum")           \
	X(730, rpl_mononline, "IRCv3")                  \
	X(731, rpl_monoffline, "IRCv3")                 \
	X(732, rpl_monlist, "IRCv3")                    \
	X(733, rpl_endofmonlist, "IRCv3")               \
	X(734, err_monlistfull, "IRCv3")                \
	X(740, rpl_rsachallenge2, "solanum")            \
	X(741, rpl_endofrsachallenge2, "solanum")       \
	X(742, err_mlockrestricted, "solanum")          \
	X(743, err_invalidban, "solanum")               \
	X(744, err_topiclock, "solanum")                \
	X(750, rpl_scanmatched, "solanum")              \
	X(751, rpl_scanumodes, "solanum")               \
	X(759, rpl_etraceend, "hybrid")                 \
	X(760, rpl_whoiskeyvalue, "IRCv3")              \
	X(761, rpl_keyvalue, "IRCv3")                   \
	X(762, rpl_metadataend, "IRCv3")                \
	X(764, err_metadatalimit, "IRCv3")              \
	X(765, err_targetinvalid, "IRCv3")              \
	X(766, rpl_keynotset, "IRCv3")                  \
	X(766, err_nomatchingkey, "IRCv3")              \
	X(767, err_keyinvalid, "IRCv3")                 \
	X(768, err_keynotset, "IRCv3")                  \
	X(769, err_keynopermission, "IRCv3")            \
	X(770, rpl_metadatasubok, "IRCv3")              \
	X(771, rpl_metadataunsubok, "IRCv3")            \
	X(772, rpl_metadatasubs, "IRCv3")               \
	X(773, err_metadatatoomanysubs, "IRCv3")        \
	X(774, rpl_metadatasynclater, "IRCv3")          \
	X(774, err_metadatasynclater, "IRCv3")          \
	X(775, err_metadataratelimit, "IRCv3")          \
	X(776, err_metadatainvalidsubs, "IRCv3")        \
	X(803, rpl_otherumodeis, "InspIRCd")            \
	X(804, rpl_othersnomaskis, "InspIRCd")          \
	X(900, rpl_loggedin, "IRCv3")                   \
	X(901, rpl_loggedout, "IRCv3")                  \
	X(902, err_nicklocked, "IRCv3")                 \
	X(903, rpl_saslsuccess, "IRCv3")                \
	X(904, err_saslfail, "IRCv3")                   \
	X(905, err_sasltoolong, "IRCv3")                \
	X(906, err_saslaborted, "IRCv3")                \
	X(907, err_saslalready, "IRCv3")                \
	X(908, rpl_saslmechs, "IRCv3")                  \
	X(910, rpl_accesslist, "InspIRCd")              \
	X(911, rpl_endofaccesslist, "InspIRCd")         \
	X(920, rpl_registration_success, "Ergo")        \
	X(921, err_account_already_exists, "Ergo")      \
	X(922, err_reg_unspecified_error, "Ergo")       \
	X(923, rpl_verifysuccess, "Ergo")               \
	X(924, err_account_already_verified, "Ergo")    \
	X(925, err_account_invalid_verify_code, "Ergo") \
	X(926, err_badchannel, "InspIRCd")              \
	X(927, rpl_reg_verification_required, "Ergo")   \
	X(928, err_reg_invalid_cred_type, "Ergo")       \
	X(929, err_reg_invalid_callback, "Ergo")        \
	X(936, err_wordfiltered, "InspIRCd")            \
	X(937, err_alreadychanfiltered, "InspIRCd")     \
	X(938, err_nosuchchanfilter, "InspIRCd")        \
	X(939, err_chanfilterfull, "InspIRCd")          \
	X(940, rpl_endofspamfilter, "InspIRCd")         \
	X(941, rpl_spamfilter, "InspIRCd")              \
	X(944, rpl_idletimeset, "InspIRCd")             \
	X(945, rpl_nicklockoff, "InspIRCd")             \
	X(946, err_nicknotlocked, "InspIRCd")           \
	X(947, rpl_nicklockon, "InspIRCd")              \
	X(948, err_invalididletime, "InspIRCd")         \
	X(953, rpl_endofexemptionlist, "InspIRCd")      \
	X(954, rpl_exemptionlist, "InspIRCd")           \
	X(960, rpl_endofproplist, "InspIRCd")           \
	X(961, rpl_proplist, "InspIRCd")                \
	X(972, err_cantunloadmodule, "InspIRCd")        \
	X(972, err_cannotdocommand, "UnrealIRCd")       \
	X(973, rpl_unloadedmodule, "InspIRCd")          \
	X(974, err_cantloadmodule, "InspIRCd")          \
	X(974, err_cannotchangechanmode, "UnrealIRCd")  \
	X(975, rpl_loadedmodule, "InspIRCd")            \
	X(981, err_toomanylanguages, "IRCv3")           \
	X(982, err_nolanguage, "IRCv3")                 \
	X(988, rpl_servlockon, "InspIRCd")              \
	X(989, rpl_servlockoff, "InspIRCd")             \
	X(990, rpl_dccallowstart, "InspIRCd")           \
	X(991, rpl_dccallowlist, "InspIRCd")            \
	X(992, rpl_dccallowend, "InspIRCd")             \
	X(993, rpl_dccallowtimed, "InspIRCd")           \
	X(994, rpl_dccallowpermanent, "InspIRCd")       \
	X(995, rpl_dccallowremoved, "InspIRCd")         \
	X(996, err_dccallowinvalid, "InspIRCd")         \
	X(997, rpl_dccallowexpired, "InspIRCd")         \
	X(998, err_unknowndccallowcmd, "InspIRCd")      \
	X(999, err_numericerr, "UnrealIRCd")            \
	X(999, err_last_err_msg, "hybrid")

#endif
