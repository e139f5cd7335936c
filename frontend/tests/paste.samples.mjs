// What other programs put on the clipboard, cut down to what matters, and what of it
// a document takes over.
export const samples = {
	Word: {
		html: `<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">
<head><meta name=Generator content="Microsoft Word 15">
<!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml><![endif]-->
<style><!-- p.MsoNormal {margin:0cm; font-family:"Calibri",sans-serif;} @list l0:level1 {mso-level-number-format:bullet;} --></style></head>
<body lang=DE style='tab-interval:35.4pt;word-wrap:break-word'>
<!--StartFragment-->
<p class=MsoTitle>Vertrag</p>
<h2 style='mso-pagination:lines-together'><span style='color:#2F5496'>Parteien<o:p></o:p></span></h2>
<p class=MsoNormal><span style='color:black;mso-themecolor:text1'>Zwischen </span><b><span lang=DE style='font-family:"Calibri",sans-serif'>Anke&nbsp;Petersen</span></b>
und <i>Jonas</i> <span style='color:red'>dringend</span> <span style='background:yellow;mso-highlight:yellow'>prüfen</span>.<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if !supportLists]><span
style='font-family:Symbol;mso-fareast-font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>Erster Punkt<o:p></o:p></p>
<p class=MsoListParagraphCxSpMiddle style='margin-left:72.0pt;mso-list:l0 level2 lfo1'><![if !supportLists]><span style='font-family:"Courier New"'><span
style='mso-list:Ignore'>o<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp; </span></span></span><![endif]>Darunter<o:p></o:p></p>
<p class=MsoListParagraphCxSpLast style='text-indent:-18.0pt;mso-list:l1 level1 lfo2'><![if !supportLists]><span style='mso-list:Ignore'>1.<span
style='font:7.0pt "Times New Roman"'>&nbsp; </span></span><![endif]>Nummer eins<o:p></o:p></p>
<table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0 style='border-collapse:collapse'>
 <tr style='mso-yfti-irow:0'><td width=200 valign=top><p class=MsoNormal>Posten<o:p></o:p></p></td><td><p class=MsoNormal>Betrag<o:p></o:p></p></td></tr>
 <tr><td colspan=2><p class=MsoNormal>zusammen<o:p></o:p></p></td></tr>
</table>
<p class=MsoNormal><v:shape><img width=100 src="file:///C:/Users/a/AppData/Local/Temp/msohtmlclip1/01/clip_image001.png" alt="Siegel"></v:shape></p>
<!--EndFragment--></body></html>`,
		blocks: [
			"heading1: Vertrag",
			"heading2: Parteien",
			"paragraph: Zwischen [Anke\u00a0Petersen|strong] und [Jonas|em] [dringend|color#ff0000] [prüfen|marker].",
			"paragraph: ",
			"bullet: Erster Punkt",
			"bullet1: Darunter",
			"ordered: Nummer eins",
			"paragraph: {table Posten|Betrag/zusammen|}",
			"paragraph: Siegel",
		],
	},
	LibreOffice: {
		html: `<!DOCTYPE html><html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"/><title></title>
<meta name="generator" content="LibreOffice 24.2 (Linux)"/><style type="text/css">@page { size: 21cm 29.7cm; margin: 2cm } p { line-height: 115%; background: transparent }</style></head>
<body lang="de-DE" dir="ltr"><h1 class="western">Protokoll</h1>
<p style="line-height: 100%; margin-bottom: 0cm">Anwesend: <b>Anke</b>, <font color="#c9211e">Jonas</font>, <u>Marlies</u> <span style="background: #ffff00">(später)</span></p>
<p style="margin-bottom: 0cm"><br/>
</p>
<ol><li><p style="margin-bottom: 0cm">Begrüßung</p></li><li><p>Kasse</p>
<ul><li><p>Bestand</p></li></ul></li></ol>
<table width="100%" cellpadding="4" cellspacing="0"><col width="128*"/><col width="128*"/>
<thead><tr valign="top"><th width="50%"><p>Wer</p></th><th><p>Was</p></th></tr></thead>
<tbody><tr valign="top"><td><p>Anke</p></td><td><p>Brief<br/>
und Anruf</p></td></tr></tbody></table>
<pre class="western">ls -l
  zwei</pre></body></html>`,
		blocks: [
			"heading1: Protokoll",
			"paragraph: Anwesend: [Anke|strong], [Jonas|color#c9211e], [Marlies|underline] [(später)|marker]",
			"paragraph: ",
			"ordered: Begrüßung",
			"ordered: Kasse",
			"bullet1: Bestand",
			"paragraph: {table Wer|Was/Anke|Brief\nund Anruf}",
			"code: ls -l\n  zwei",
		],
	},
	"Google Docs": {
		html: `<meta charset='utf-8'><meta charset="utf-8"><b style="font-weight:normal;" id="docs-internal-guid-1a2b"><h1 dir="ltr" style="line-height:1.38;margin-top:20pt;"><span style="font-size:20pt;font-family:Arial;color:#000000;background-color:transparent;font-weight:400;font-style:normal;text-decoration:none;white-space:pre-wrap;">Plan</span></h1><p dir="ltr" style="line-height:1.38;"><span style="font-size:11pt;color:#000000;background-color:transparent;font-weight:700;white-space:pre-wrap;">Fett</span><span style="font-size:11pt;color:#000000;font-weight:400;white-space:pre-wrap;"> und  </span><span style="color:#1155cc;font-weight:400;text-decoration:underline;"><a href="https://example.org/x?a=1&amp;b=2" style="text-decoration:none;"><span style="color:#1155cc;text-decoration:underline;">Verweis</span></a></span></p><ul style="margin-top:0;"><li dir="ltr" style="list-style-type:disc;" aria-level="1"><p dir="ltr" role="presentation"><span style="font-weight:400;">eins</span></p></li><ul style="margin-top:0;"><li dir="ltr" aria-level="2"><p dir="ltr" role="presentation"><span style="font-style:italic;">tief</span></p></li></ul><li role="checkbox" aria-checked="true" dir="ltr"><p role="presentation"><span>erledigt</span></p></li></ul><br /><div dir="ltr"><table><tbody><tr><td><p><span>a</span></p></td><td><p><span>b</span></p></td></tr></tbody></table></div></b>`,
		blocks: [
			"heading1: Plan",
			"paragraph: [Fett|strong] und [Verweis|linkhttps://example.org/x?a=1&b=2]",
			"bullet: eins",
			"bullet1: [tief|em]",
			"taskx: erledigt",
			"paragraph: {table a|b}",
		],
	},
	"a page of the web": {
		html: `<html><body><!--StartFragment--><div style="color: rgb(51, 51, 51); font-family: system-ui; background-color: rgb(255, 255, 255);"><nav><a href="/start">Start</a></nav><p style="color: rgb(51,51,51);">Erster<br>Umbruch und <span style="font-weight: 600">halbfett</span> <a href="javascript:alert(1)">böse</a> <a href="mailto:a@b.de">Post</a>&nbsp;</p><script>window.hacked = 1</script><img src="https://tracker.example/p.gif" alt=""><img src="https://bilder.example/k.jpg" alt="Karte" onerror="window.hacked = 2"><blockquote><p>Gesagt ist gesagt.</p></blockquote><table><tr><td><ul><li>nur Anordnung</li></ul></td><td>rechts</td></tr></table><iframe src="https://example.org"></iframe><div>eins<br><br>zwei</div><p hidden>versteckt</p><span style="display:none">auch</span></div><!--EndFragment--></body></html>`,
		blocks: [
			"paragraph: Start",
			"paragraph: Erster\nUmbruch und [halbfett|strong] böse [Post|linkmailto:a@b.de]",
			"paragraph: Karte",
			"quote: Gesagt ist gesagt.",
			"bullet: nur Anordnung",
			"paragraph: rechts",
			"paragraph: eins",
			"paragraph: zwei",
		],
	},
};

// What nobody sane writes: none of it may take long or throw.
export const hostile = {
	deep: "<div>".repeat(20_000) + "tief" + "</div>".repeat(20_000),
	lists: "<ul><li>".repeat(3000) + "x",
	open: "<table><tr><td>".repeat(500) + "y",
	tags: "<a<a<a<a ".repeat(50_000),
	quotes: `<p style="${"'".repeat(100_000)}">z`,
	spaces: `<p>a${" ".repeat(400_000)}b</p>`,
	entities: "&nbsp;".repeat(200_000),
	spans: `<table><tr>${"<td colspan=1000 rowspan=1000>q</td>".repeat(200)}</tr></table>`,
	surrogates: "<p>\ud800 halb \udc00</p>",
};
