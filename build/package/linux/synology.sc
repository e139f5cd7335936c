[inselnetz_tcp]
title="Inselnetz"
desc="Inselnetz"
port_forward="no"
dst.ports="21960/tcp"

[inselnetz_udp]
title="Inselnetz (QUIC)"
desc="Inselnetz (QUIC)"
port_forward="no"
dst.ports="21960,21961/udp"

[inselnetz_page]
title="Inselnetz (Browser)"
desc="Inselnetz (Browser)"
port_forward="no"
dst.ports="21963,21964/tcp"
